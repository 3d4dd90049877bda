"""Values that runtime expressions refer to at one point of a run."""

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from synthetic.probe.http import Response
from synthetic.probe.media_types import parse_media_type, readable_text

_INDEX = re.compile("0|[1-9][0-9]{0,8}")  # RFC 6901, 4; no longer list exists
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class Undefined(enum.Enum):
    """The type of ``UNDEFINED``."""

    UNDEFINED = enum.auto()


UNDEFINED: Final = Undefined.UNDEFINED  # the value of an expression that refers to nothing


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The request of a step as expressions see it."""

    method: str
    url: str
    headers: Mapping[str, str]
    parameters: Mapping[tuple[str, str], Any]  # by location and name
    body: Any = UNDEFINED


@dataclass(frozen=True, slots=True)
class DocumentValues:
    """The parts of an Arazzo document that expressions refer to."""

    self_uri: str = ""
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)  # values of components.parameters


@dataclass(frozen=True, slots=True)
class WorkflowValues:
    """Inputs and outputs of a workflow."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


@dataclass(slots=True)
class Context:
    """Values that expressions refer to."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    response: Response | None = None
    request: SentRequest | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    workflows: dict[str, WorkflowValues] = field(default_factory=dict)
    document: DocumentValues = field(default_factory=DocumentValues)
    _parsed: tuple[Response, Any] | None = None

    def response_body(self) -> Any:  # noqa: ANN401 - any JSON, or text
        """Return the body of the response: parsed if it is JSON, or else text."""
        if self.response is None:
            return UNDEFINED
        if self._parsed is None or self._parsed[0] is not self.response:
            self._parsed = (self.response, _parse_body(self.response))
        return self._parsed[1]


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as text for paths, headers and strings: strings unquoted, others as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def look_up(values: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a value by its name, or a part of one by a name with `.member` and `[0]`.

    Names may contain dots, so the longest name that exists counts.
    """
    if name in values:
        return values[name]
    for cut in reversed([m.start() for m in re.finditer(r"[.\[]", name)]):
        if name[:cut] in values:
            return dereference(values[name[:cut]], name[cut:])
    return UNDEFINED


def dereference(value: Any, path: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the part of a value at a path such as `.items[0].id`, which may be empty."""
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return UNDEFINED
        value = _member(value, match[1] or match[2])
        position = match.end()
    return value


def resolve_pointer(value: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the part of a value at a JSON pointer (RFC 6901)."""
    for step in pointer.split("/")[1:]:
        value = _member(value, step.replace("~1", "/").replace("~0", "~"))
    return value


def _member(value: Any, name: str) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        return value.get(name, UNDEFINED)
    if isinstance(value, list) and _INDEX.fullmatch(name):
        return value[int(name)] if int(name) < len(value) else UNDEFINED
    return UNDEFINED


def _parse_body(response: Response) -> Any:  # noqa: ANN401 - any JSON, or text
    media = parse_media_type(response.headers.get("content-type", ""))
    if not media.name or media.subtype.endswith("json"):
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError):
            pass
    return readable_text(response.body, media)
