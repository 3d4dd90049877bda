"""Content codings of responses (RFC 9110, 8.4.1)."""

import zlib

from synthetic.probe.results import StepError

MAX_CODINGS = 4
MAX_MEMBERS = 100  # of a gzip body: each copies the rest
# window bits of zlib: a gzip header, a zlib header, and no header, which some servers send
GZIP = 31
FORMATS = {"gzip": (GZIP,), "x-gzip": (GZIP,), "deflate": (15, -15)}


def decode(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    """Return a body without the codings that the header Content-Encoding lists.

    Raises:
        StepError: with the reason schema, when a coding is unknown, the body does not have it, or
            the result is longer than ``max_bytes``.

    """
    codings = [name.strip().lower() for name in content_encoding.split(",")][::-1]
    codings = [name for name in codings if name not in {"", "identity"}]
    for coding in codings:
        if coding not in FORMATS or len(codings) > MAX_CODINGS:
            named = coding[:40] if coding.isprintable() else "something else"
            raise StepError("schema", f"the content coding {named} was not asked for")
        body = _inflate(body, coding, max_bytes)
    return body


def _inflate(body: bytes, coding: str, max_bytes: int) -> bytes:
    for window_bits in FORMATS[coding]:
        try:
            return _inflate_members(body, window_bits, max_bytes)
        except zlib.error:
            continue
    raise StepError("schema", f"the body is not valid {coding}")


def _inflate_members(body: bytes, window_bits: int, max_bytes: int) -> bytes:
    """Return the content of a body; one of gzip may have several members (RFC 1952, 2.2)."""
    result = b""
    for _ in range(MAX_MEMBERS):
        decompressor = zlib.decompressobj(window_bits)
        result += decompressor.decompress(body, max_bytes + 1 - len(result))
        if len(result) > max_bytes:
            raise StepError("schema", f"the response is longer than {max_bytes} bytes")
        if not decompressor.eof:
            break
        body = decompressor.unused_data
        if not body or window_bits != GZIP:
            return result
    raise zlib.error
