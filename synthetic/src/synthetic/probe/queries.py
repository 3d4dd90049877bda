"""JSONPath (RFC 9535), XPath and JSON pointers (RFC 6901) over the values of a run.

The libraries are imported at the first use: most journeys need none, and an import takes 50 to
200 ms of CPU.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from synthetic.probe.results import ProbeError
from synthetic.probe.runtime_values import UNDEFINED, as_text, resolve_pointer

VERSIONS = {
    "jsonpath": ("rfc9535", "draft-goessner-dispatch-jsonpath-00"),
    "xpath": ("xpath-31", "xpath-30", "xpath-20", "xpath-10"),
    "jsonpointer": ("rfc6901",),
}
XML_ERRORS = (SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError)

Query = Callable[[Any], list[Any]]


def parse_query(kind: str, version: str, text: str) -> Query:
    """Return a function from a value to the parts of it that a query selects.

    The function raises ``ValueError`` if the value has the wrong form, such as text that is no XML.

    Raises:
        ProbeError: the query has a syntax error.

    """
    if kind == "jsonpath":
        return _jsonpath(text)
    if kind == "xpath":
        return _xpath(text, version or VERSIONS["xpath"][0])
    if text and not text.startswith("/"):
        raise ProbeError(f"{text[:100]} is not a JSON pointer: it must start with /")
    return lambda value: [found] if (found := resolve_pointer(value, text)) is not UNDEFINED else []


@lru_cache(maxsize=256)
def _jsonpath(text: str) -> Query:
    from jsonpath_rfc9535 import JSONPathError, compile  # noqa: PLC0415, A004 - see above

    try:
        path = compile(text)
    except (JSONPathError, RecursionError) as error:
        reason = str(error).partition("\n")[0][:150]
        raise ProbeError(f"{text[:100]} is not a JSONPath of RFC 9535: {reason}") from error

    def query(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
        try:
            return list(path.find(value).values())
        except (JSONPathError, RecursionError) as error:
            raise ValueError(str(error)[:150]) from error

    return query


@lru_cache(maxsize=256)
def _xpath(text: str, version: str) -> Query:
    import elementpath  # noqa: PLC0415 - see above
    from elementpath.xpath3 import XPath3Parser  # noqa: PLC0415
    from elementpath.xpath30 import XPath30Parser  # noqa: PLC0415

    parser = {
        "xpath-10": elementpath.XPath1Parser,
        "xpath-20": elementpath.XPath2Parser,
        "xpath-30": XPath30Parser,
    }.get(version, XPath3Parser)
    try:
        parser().parse(text)
    except XML_ERRORS as error:
        raise ProbeError(f"{text[:100]} is not an XPath: {str(error)[:150]}") from error

    def query(value: Any) -> list[Any]:  # noqa: ANN401 - text, or any JSON
        root = parse_xml(value)
        try:
            found = elementpath.select(root, text, parser=parser)
        except XML_ERRORS as error:
            raise ValueError(str(error)[:150]) from error
        return found if isinstance(found, list) else [found]

    return query


def parse_xml(value: Any) -> Any:  # noqa: ANN401 - text, and an element
    """Return the root element of an XML text.

    Raises:
        ValueError: the value is no XML, or has a document type, which could expand without limit.

    """
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - document types are rejected

    text = value if isinstance(value, str) else as_text(value)
    if "<!DOCTYPE" in text:
        raise ValueError("XML with a document type is not supported")
    try:
        return ET.fromstring(text)  # noqa: S314 - see above
    except ET.ParseError as error:
        raise ValueError(f"the value is not XML: {error}") from error


def text_of(node: Any) -> Any:  # noqa: ANN401 - an element, or a value of XPath
    """Return the text of an XML element; other values as they are."""
    return "".join(node.itertext()) if hasattr(node, "itertext") else node
