"""Find the operations and the workflows that the steps and actions of a document name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import unquote

from synthetic.probe.arazzo_document import ArazzoDocument
from synthetic.probe.cursor import Cursor
from synthetic.probe.journey import WorkflowKey
from synthetic.probe.openapi_parser import METHODS
from synthetic.probe.operation import Operation
from synthetic.probe.problems import closest, quoted
from synthetic.probe.results import ProbeError
from synthetic.probe.sources import SourceError

Found = TypeVar("Found")

SOURCE_PREFIX = "$sourceDescriptions."
TARGETS = ("operationId", "operationPath", "workflowId")
MIN_RATIO = 0.8  # of difflib: getOrder and deleteOrder are no misspellings of each other
MAX_NAMES = 3  # of operations in a message
ASYNC_FIELDS = ("channelPath", "correlationId", "action")
_OPERATION_PATH = re.compile(
    r"\{?\$sourceDescriptions\.(?P<name>[^#{}]+?)(?:\.url)?\}?#(?P<pointer>.*)\Z"
)


def _other_operations(name: str, operations: Mapping[str, Operation]) -> str:
    """Return a hint on an operation of a similar name, or on those without an operationId."""
    found = {each.operation_id: each for each in operations.values()}
    unnamed = [key for key, each in found.items() if key == f"{each.method} {each.path}"]
    hint = closest(name, found.keys() - set(unnamed), MIN_RATIO)
    if hint or not unnamed:
        return hint
    verb = "has" if len(unnamed) == 1 else "have"
    return f"{', '.join(unnamed[:MAX_NAMES])} {verb} no operationId"


class ReferenceFinder:
    """Finds what a document's references name; a wrong one is a problem at its place."""

    def __init__(self, document: ArazzoDocument) -> None:
        """Find references of ``document``."""
        self._document = document

    def find_call(self, cursor: Cursor) -> Operation | WorkflowKey | None:
        """Return the operation or the workflow that a step calls."""
        given = [name for name in TARGETS if cursor.has(name)]
        if any(cursor.has(name) for name in ASYNC_FIELDS):
            cursor.problem("steps of AsyncAPI are not supported")
        elif len(given) != 1:
            cursor.problem(f"a step needs one of {', '.join(TARGETS)}, and only one")
        elif cursor.text(given[0], required=True):
            place = cursor.get(given[0]) or cursor
            if given[0] == "workflowId":
                return self.find_workflow(place)
            find = self._find_by_id if given[0] == "operationId" else self._find_by_path
            return self._attempt(place, find)
        return None

    def _attempt(self, cursor: Cursor, find: Callable[[str], Found]) -> Found | None:
        """Return what a reference names; an invalid source is a problem at its own place."""
        try:
            return find(cursor.value)
        except SourceError as error:
            cursor.problems.add(self._document.source_place(error.name), str(error))
        except ProbeError as error:
            cursor.problem(str(error))
        return None

    def _find_by_id(self, text: str) -> Operation:
        source, name = self._split_reference(text)
        if not source:
            kinds = {n: self._document.source_type(n) for n in self._document.source_names}
            sources = [n for n, kind in kinds.items() if kind != "arazzo"]
            if len(sources) != 1:
                is_named = text.partition(".")[0] in kinds
                raise ProbeError(
                    f"write {SOURCE_PREFIX}{'' if is_named else 'NAME.'}{text}: "
                    "there are several sourceDescriptions"
                    if sources
                    else "there is no source description of type openapi"
                )
            source = sources[0]
        operations = self._operations(source)
        if name in operations:
            return replace(operations[name], source=source)
        is_source = name.startswith(f"{source}.")
        hint = f"write {SOURCE_PREFIX}{name}" if is_source else _other_operations(name, operations)
        message = f"the contract {source} has no operation {quoted(name)}"
        raise ProbeError(f"{message}; {hint}" if hint else message)

    def _find_by_path(self, text: str) -> Operation:
        match = _OPERATION_PATH.match(text)
        if match is None:
            raise ProbeError(
                f"{quoted(text)} must be like '{{{SOURCE_PREFIX}NAME.url}}#/paths/~1pets/get'"
            )
        source, pointer = match["name"], unquote(match["pointer"])
        if source not in self._document.source_names:
            raise ProbeError(f"there is no source description {source}")
        method = pointer.rpartition("/")[2]
        if method not in METHODS:
            raise ProbeError(f"{quoted(text)} must end with a method such as /get")
        operation = self._operations(source).get(f"#{pointer}")
        if operation is None:
            raise ProbeError(f"the contract {source} has no {quoted(pointer)}")
        return replace(operation, source=source)

    def _operations(self, source: str) -> Mapping[str, Operation]:
        kind = self._document.source_type(source)
        if kind == "asyncapi":
            raise ProbeError(f"{source} is AsyncAPI, which is not supported")
        if kind == "arazzo":
            raise ProbeError(f"{source} is an Arazzo document: write workflowId instead")
        return self._document.operations(source)

    def find_workflow_of(self, cursor: Cursor) -> WorkflowKey | None:
        """Return the workflow that an action names, or None."""
        member = cursor.get("workflowId")
        if member is None or not member.expect(str, "workflowId"):
            return None
        return self.find_workflow(member)

    def find_workflow(self, cursor: Cursor) -> WorkflowKey | None:
        """Return the key of the workflow that a workflowId names."""
        return self._attempt(cursor, self._find_workflow)

    def _find_workflow(self, text: str) -> WorkflowKey:
        source, name = self._split_reference(text)
        document = self._document
        if source:
            if self._document.source_type(source) != "arazzo":
                raise ProbeError(f"the source description {source} is not of type arazzo")
            document = self._document.other(source)
        if name not in document.workflow_ids:
            legacy = name.removeprefix("workflows.")
            hint = f"; write {SOURCE_PREFIX}{source}.{legacy}" if legacy != name else ""
            known = ", ".join(document.workflow_ids)
            raise ProbeError(f"there is no workflow {quoted(name)}{hint}; there are {known}")
        return document.path, name

    def _split_reference(self, text: str) -> tuple[str, str]:
        """Return the source description and the name of a reference; a plain one has no source."""
        if not text.startswith(SOURCE_PREFIX):
            return "", text
        rest = text.removeprefix(SOURCE_PREFIX)
        source = next(
            (n for n in self._document.source_names if rest.startswith(f"{n}.")),
            rest.partition(".")[0],
        )
        if source not in self._document.source_names:
            raise ProbeError(f"there is no source description {source}")
        return source, rest[len(source) + 1 :]
