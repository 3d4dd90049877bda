"""Content codings of responses (RFC 9110, 8.4.1)."""

import zlib

from synthetic.probe.results import StepError

MAX_CODINGS = 4
# window bits of zlib: a gzip header, a zlib header, and no header, which some servers send
FORMATS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}


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
        decompressor = zlib.decompressobj(window_bits)
        try:
            result = decompressor.decompress(body, max_bytes + 1)
        except zlib.error:
            continue
        if len(result) > max_bytes:
            raise StepError("schema", f"the response is longer than {max_bytes} bytes")
        if decompressor.eof:
            return result
    raise StepError("schema", f"the body is not valid {coding}")
