"""Parameter and header values as text: the styles of OpenAPI, after RFC 6570."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from synthetic.probe.documents import Node
from synthetic.probe.media_types import parse_media_type
from synthetic.probe.runtime_values import as_text

DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
EXPLODED_STYLES = frozenset(("form", "cookie"))
DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}
JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
COMPOSITES = ("allOf", "oneOf", "anyOf")
MAX_SCHEMAS = 200  # that are read for the types of one value

_RESERVED = ":/?@!$&'()*+,;=[]"  # RFC 3986, 2.2, but for `#`, which ends a query
_TRIPLET = re.compile(r"(%[0-9A-Fa-f]{2})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")

Encoder = Callable[[str], str]
Pairs = list[tuple[str, str]]


class ParameterSpec(NamedTuple):
    """A parameter of an operation; one with a media type has no style."""

    location: str
    name: str
    required: bool = False
    style: str = "simple"
    explode: bool = False
    allow_reserved: bool = False
    media_type: str = ""
    schema: Node | None = None

    @property
    def default(self) -> Any:  # noqa: ANN401 - any JSON
        """The default of the schema, or None."""
        schema = self.schema.resolve().value if self.schema else None
        return schema.get("default") if isinstance(schema, dict) else None


def parse_parameter(node: Node) -> ParameterSpec:
    """Parse a Parameter Object.

    Raises:
        KeyError, TypeError: the object is invalid.

    """
    document = node.value
    location = document["in"]
    style = document.get("style", DEFAULT_STYLES.get(location, "simple"))
    content = node.get("content")
    media_type = next(iter(content.value), "") if content else ""
    described = content.get(media_type) if content else node
    return ParameterSpec(
        location,
        document["name"],
        bool(document.get("required")),
        style,
        bool(document.get("explode", style in EXPLODED_STYLES)),
        bool(document.get("allowReserved")),
        media_type,
        described.member("schema") if described else None,
    )


def undeclared(location: str, name: str) -> ParameterSpec:
    """Return a parameter that the contract does not declare, with the default style."""
    style = DEFAULT_STYLES.get(location, "simple")
    return ParameterSpec(location, name, style=style, explode=style in EXPLODED_STYLES)


def path_text(spec: ParameterSpec, value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the text that replaces a path parameter, percent-encoded."""
    encode: Encoder = _encode_reserved if spec.allow_reserved else lambda text: quote(text, safe="")
    if spec.media_type:
        return encode(_content_text(spec, value))
    if spec.style == "matrix":
        named = _named_pairs(spec, value, encode)
        return "".join(f";{name}={text}" if text else f";{name}" for name, text in named)
    items = _items(value, encode, explode=spec.explode)
    if spec.style == "label":
        return "." + ("." if spec.explode else ",").join(items)
    return ",".join(items)


def query_pairs(spec: ParameterSpec, value: Any) -> Pairs:  # noqa: ANN401 - any JSON
    """Return the encoded names and values of a query parameter; none for null."""
    encode: Encoder = _encode_reserved if spec.allow_reserved else quote_plus
    if value is None:
        return []
    if spec.media_type:
        return [(quote_plus(spec.name), encode(_content_text(spec, value)))]
    if spec.style == "deepObject" and isinstance(value, Mapping):
        return [(quote_plus(name), encode(text)) for name, text in _deep_pairs(spec.name, value)]
    return _named_pairs(spec, value, encode)


def query_string(spec: ParameterSpec, value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a complete query string of OpenAPI 3.2; a string is taken as encoded already."""
    if isinstance(value, str) and not parse_media_type(spec.media_type).is_json:
        return quote(value, safe=f"{_RESERVED}%")
    if isinstance(value, Mapping) and not parse_media_type(spec.media_type).is_json:
        pairs = [pair for n, v in value.items() for pair in query_pairs(undeclared("query", n), v)]
        return join_pairs(pairs)
    return quote(json_text(value), safe="")


def header_text(spec: ParameterSpec, value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a header's value as it stands: OpenAPI forbids quoting and escaping."""
    if spec.media_type:
        return _content_text(spec, value)
    return ",".join(_items(value, lambda text: text, explode=spec.explode))


def cookie_pairs(spec: ParameterSpec, value: Any) -> Pairs:  # noqa: ANN401 - any JSON
    """Return the names and values of a cookie parameter; none for null."""
    if value is None:
        return []
    as_is = spec.style == "cookie" or spec.allow_reserved
    encode: Encoder = (lambda text: text) if as_is else (lambda text: quote(text, safe=""))
    if spec.media_type:
        return [(spec.name, encode(_content_text(spec, value)))]
    return _named_pairs(spec, value, encode)


def join_pairs(pairs: Pairs) -> str:
    """Return encoded names and values as a query or a form."""
    return "&".join(f"{name}={text}" for name, text in pairs)


def json_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as JSON; a string that is a JSON object or array stays as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return json.dumps(value, ensure_ascii=False)
        return value
    return json.dumps(value, ensure_ascii=False)


def parse_text(text: str, schema: Node | None, *, explode: bool = False) -> Any:  # noqa: ANN401
    """Return the value of a header or of a text in the style `simple`, by its schema.

    A text that is no value of the schema's types is returned as it is.
    """
    types = _types(schema)
    if schema is not None and "array" in types:
        items = schema.resolve().get("items")
        return [parse_text(each.strip(), items) for each in text.split(",")] if text else []
    if schema is not None and "object" in types:
        return _parse_object(text, schema, explode=explode)
    if types & {"integer", "number"} and _NUMBER.fullmatch(text):
        return json.loads(text)
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text


def _parse_object(text: str, schema: Node, *, explode: bool) -> Any:  # noqa: ANN401 - any JSON
    parts = [part.strip() for part in text.split(",")] if text else []
    if explode:
        pairs = [(name, value) for name, _, value in (part.partition("=") for part in parts)]
    else:
        pairs = list(zip(parts[::2], parts[1::2], strict=False))
    properties = schema.resolve().get("properties")
    return {n: parse_text(v, properties.get(n) if properties else None) for n, v in pairs}


def _types(schema: Node | None) -> set[str]:
    """Return the types that a schema names, or that its enumeration has."""
    types: set[str] = set()
    waiting = [schema] if schema else []
    for _ in range(MAX_SCHEMAS):
        if not waiting:
            break
        node = waiting.pop()
        if not isinstance(node.value, dict):
            continue
        if isinstance(node.value.get("$ref"), str):
            waiting.append(node.resolve())
        named = node.value.get("type", [])
        values = node.value.get("enum", []) if not named else []
        types |= {named} if isinstance(named, str) else set(named)
        types |= {JSON_TYPES[type(value)] for value in values if type(value) in JSON_TYPES}
        parts = [part for key in COMPOSITES if (part := node.get(key))]
        waiting += [each for part in parts for each in part.elements()]
    return types


def _content_text(spec: ParameterSpec, value: Any) -> str:  # noqa: ANN401 - any JSON
    is_json = parse_media_type(spec.media_type).is_json
    return json_text(value) if is_json else as_text(value)


def _named_pairs(spec: ParameterSpec, value: Any, encode: Encoder) -> Pairs:  # noqa: ANN401
    name = quote_plus(spec.name) if spec.location == "query" else spec.name
    if not isinstance(value, list | Mapping):
        return [(name, encode(as_text(value)))]
    if not value:
        return []
    if not spec.explode:
        delimiter = DELIMITERS.get(spec.style, ",")
        return [(name, delimiter.join(_items(value, encode, explode=False)))]
    if isinstance(value, Mapping):
        return [(encode(n), encode(as_text(v))) for n, v in value.items() if v is not None]
    return [(name, encode(as_text(each))) for each in value if each is not None]


def _items(value: Any, encode: Encoder, *, explode: bool) -> list[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [encode(as_text(each)) for each in value if each is not None]
    if not isinstance(value, Mapping):
        return [encode(as_text(value))]
    pairs = [(encode(n), encode(as_text(v))) for n, v in value.items() if v is not None]
    if explode:
        return [f"{name}={text}" for name, text in pairs]
    return [text for pair in pairs for text in pair]


def _deep_pairs(prefix: str, value: Mapping[str, Any]) -> Pairs:
    """Return `name[member]` pairs, also of nested values, which OpenAPI leaves open."""
    pairs: Pairs = []
    for name, member in value.items():
        key = f"{prefix}[{name}]"
        if isinstance(member, Mapping):
            pairs += _deep_pairs(key, member)
        elif isinstance(member, list):
            pairs += [(key, as_text(each)) for each in member]
        elif member is not None:
            pairs.append((key, as_text(member)))
    return pairs


def _encode_reserved(text: str) -> str:
    """Encode as RFC 6570's reserved expansion: reserved characters and triplets stay."""
    parts = _TRIPLET.split(text)
    return "".join(p if i % 2 else quote(p, safe=_RESERVED) for i, p in enumerate(parts))
