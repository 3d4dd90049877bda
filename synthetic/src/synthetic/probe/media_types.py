"""Media types (RFC 9110, 8.3.1), and the values in bodies of them."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
LINES = frozenset(("application/jsonl", "application/x-ndjson", "application/ndjson"))
XML = frozenset(("application/xml", "text/xml"))
MAX_NAME = 40  # characters of a member's name in a message
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")


class MediaType(NamedTuple):
    """A media type or a media type range in lower case, with its parameters."""

    type: str
    subtype: str
    parameters: frozenset[tuple[str, str]]

    @property
    def name(self) -> str:
        """The type without parameters, or an empty text without a type."""
        return f"{self.type}/{self.subtype}" if self.type else ""

    @property
    def is_json(self) -> bool:
        """True for JSON, and for types with its structured syntax suffix (RFC 6839)."""
        return self.subtype == "json" or self.subtype.endswith("+json")

    @property
    def is_xml(self) -> bool:
        """True for XML, and for types with its structured syntax suffix."""
        return self.name in XML or self.subtype.endswith("+xml")

    @property
    def is_text(self) -> bool:
        """True for text without a structure that a schema describes."""
        return self.type == "text" and not self.is_xml and not self.is_json

    @property
    def charset(self) -> str:
        """The character encoding; UTF-8 without a parameter."""
        return dict(self.parameters).get("charset", "utf-8")

    def encoding_of(self, body: bytes) -> str:
        """Return the character encoding of a body.

        Without a parameter, XML names it by a byte order mark or its declaration (RFC 7303, 3).
        """
        if not self.is_xml or "charset" in dict(self.parameters):
            return self.charset
        if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        declared = _XML_ENCODING.match(body)
        return declared[1].decode() if declared else "utf-8"

    def includes(self, other: "MediaType") -> bool:
        """Return whether this range includes a type; parameters of the range are required."""
        return (
            self.type in {"*", other.type}
            and self.subtype in {"*", other.subtype}
            and self.parameters <= other.parameters
        )


def parse_media_type(text: str) -> MediaType:
    """Return a media type; an invalid one has no type."""
    name, *parameters = text.split(";")
    main, slash, subtype = name.strip().lower().partition("/")
    if not slash or not main or not subtype:
        main = subtype = ""
    pairs = (each.partition("=") for each in parameters)
    return MediaType(
        main,
        subtype,
        frozenset((n.strip().lower(), v.strip().strip('"').lower()) for n, _, v in pairs if v),
    )


def best_match(keys: Iterable[str], content_type: str) -> str | None:
    """Return the most specific key of a Content Object that includes a type, or None.

    A key's parameters only prefer it: servers omit `charset`, and contracts repeat it.
    """
    actual = parse_media_type(content_type)
    ranked = []
    for key in keys:
        described = parse_media_type(key)
        same_parameters = described.parameters <= actual.parameters
        bare = MediaType(described.type, described.subtype, frozenset())
        if described.type and bare.includes(actual):
            rank = (described.type != "*", described.subtype != "*", same_parameters)
            ranked.append((*rank, len(described.parameters) if same_parameters else 0, key))
    return max(ranked, key=lambda each: each[:4])[4] if ranked else None


def decode_text(body: bytes, media: MediaType, errors: str = "strict") -> str:
    """Return a body as text.

    Raises:
        ValueError: the body is not in its character encoding, or the encoding is unknown.

    """
    encoding = media.encoding_of(body)
    try:
        text = body.decode(encoding, errors)
    except LookupError as error:
        raise ValueError(f"the character encoding {encoding[:40]} is unknown") from error
    return text.removeprefix("\ufeff") if media.is_xml else text


def readable_text(body: bytes, media: MediaType) -> str:
    """Return a body as text, with U+FFFD for what is not in its character encoding."""
    try:
        return decode_text(body, media, "replace")
    except ValueError:
        return body.decode(errors="replace")


def parse_json(body: bytes | str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a JSON text (RFC 8259).

    Raises:
        ValueError: the text is not JSON.
        RecursionError: it is nested too deeply.

    """
    text = _decode_json(body) if isinstance(body, bytes) else body
    if not text.strip():
        raise ValueError("it is empty")
    return json.loads(text, parse_constant=_reject_constant, object_pairs_hook=_unique_members)


def _decode_json(body: bytes) -> str:
    """Return the text of a JSON body, which is UTF-8 without a mark (RFC 8259, 8.1)."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 at byte {error.start}") from error
    if text.startswith("\ufeff"):
        raise ValueError("it starts with a byte order mark")
    return text


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; parsers disagree on repeated names (RFC 8259, 4)."""
    members = dict(pairs)
    if len(members) < len(pairs):
        ((repeated, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the member {ascii(repeated[:MAX_NAME])[1:-1]} is repeated")
    return members


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parse_json_lines(body: bytes) -> list[Any]:
    """Return the values of JSON lines.

    Raises:
        ValueError: a line is not JSON.

    """
    return [parse_json(line) for line in body.splitlines() if line.strip()]
