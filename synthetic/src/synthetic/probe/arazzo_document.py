"""One Arazzo document: its version, its sources, and the parts that its workflows share."""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from synthetic.probe.cursor import Cursor, members_of
from synthetic.probe.documents import ConfinementError
from synthetic.probe.graphs import find_cycles
from synthetic.probe.inputs import input_names, input_names_in, parse_inputs
from synthetic.probe.operation import Operation
from synthetic.probe.problems import Problem, Problems, quoted
from synthetic.probe.results import ProbeError
from synthetic.probe.runtime_values import DocumentValues
from synthetic.probe.sources import SourceError, Sources, source_type
from synthetic.probe.yaml_document import Location, YamlDocument

DOCUMENT_FIELDS = ("arazzo", "info", "sourceDescriptions", "workflows", "components")
COMPONENTS = ("inputs", "parameters", "successActions", "failureActions")
_VERSION = re.compile(r"1\.(?P<minor>[01])\.\d+(?:-.+)?\Z")


def _strings(value: Any) -> list[str]:  # noqa: ANN401 - any JSON
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


class ArazzoDocument:
    """Parses the workflows of one document, each one alone."""

    def __init__(self, path: Path, sources: Sources) -> None:
        """Read the document; ``problems`` has those that concern all of its workflows.

        Raises:
            ProbeError: the file cannot be read, or is not YAML.

        """
        self.path = str(path.resolve())
        self._document = sources.arazzo(path)
        self._sources = sources
        self.problems = Problems(self._document)
        root = Cursor(self._document.value, self.problems)
        self._root = root
        self.is_1_1 = self._check_document(root) == "1"
        self._workflows = {
            item.value["workflowId"]: item
            for item in (root.items("workflows") if root.has("workflows") else [])
            if isinstance(members_of(item.value).get("workflowId"), str)
        }
        self._descriptions = {
            item.value["name"]: item
            for item in (root.items("sourceDescriptions") if root.has("sourceDescriptions") else [])
            if isinstance(members_of(item.value).get("name"), str)
        }

    @property
    def workflow_ids(self) -> list[str]:
        """The workflowIds of the document."""
        return list(self._workflows)

    def summary(self, name: str) -> str:
        """Return the summary of a workflow."""
        return self._workflows[name].text("summary") if name in self._workflows else ""

    def cursor(self, name: str) -> Cursor:
        """Return a workflow; its problems are recorded apart."""
        item = self._workflows[name]
        return Cursor(item.value, Problems(self._document), item.location)

    @property
    def root(self) -> Any:  # noqa: ANN401 - any JSON
        """The content of the document."""
        return self._document.value

    @property
    def components(self) -> Cursor | None:
        """The components."""
        return self._root.get("components")

    @cached_property
    def values(self) -> DocumentValues:
        """The names that expressions may refer to."""
        components = members_of(members_of(self.root).get("components"))
        parameters = members_of(components.get("parameters"))
        return DocumentValues(
            str(members_of(self.root).get("$self", "")),
            {name: members_of(item.value) for name, item in self._descriptions.items()},
            {name: members_of(value).get("value") for name, value in parameters.items()},
        )

    @cached_property
    def names(self) -> dict[str, dict[str, list[str] | None]]:
        """The names of inputs and outputs by workflow; None stands for any name."""
        return {
            name: {
                "inputs": input_names(parse_inputs(self.cursor(name).get("inputs"), self.root)),
                "outputs": list(members_of(item.value.get("outputs"))),
            }
            for name, item in self._workflows.items()
        }

    @cached_property
    def used_inputs(self) -> set[str]:
        """The names of inputs that expressions refer to."""
        return input_names_in(self.root)

    @cached_property
    def dependency_cycles(self) -> dict[str, list[str]]:
        """The workflows that depend on themselves, each with the path back to it."""
        graph = {
            name: _strings(item.value.get("dependsOn")) for name, item in self._workflows.items()
        }
        return find_cycles(graph)

    def source_type(self, name: str) -> str:
        """Return the type of a source description.

        Raises:
            ProbeError: the type is not given, and the document cannot be read.

        """
        kind = self._descriptions[name].value.get("type")
        if kind is not None:
            return str(kind)
        location = self._locate(name)
        return (
            source_type(self._sources.arazzo(location).value) if _is_file(location) else "openapi"
        )

    @property
    def source_names(self) -> list[str]:
        """The names of the source descriptions."""
        return list(self._descriptions)

    def source_place(self, name: str) -> Location:
        """Return where the url of a source description is."""
        return (*self._descriptions[name].location, "url")

    def _locate(self, name: str) -> Path | str:
        url = str(self._descriptions[name].value.get("url", ""))
        try:
            return self._sources.locate(url, Path(self.path))
        except ProbeError as error:
            raise SourceError(name, str(error)) from error

    def operations(self, name: str) -> Mapping[str, Operation]:
        """Return the operations of a source description.

        Raises:
            SourceError: the contract is missing or invalid.

        """
        try:
            return self._sources.operations(self._locate(name))
        except ProbeError as error:
            raise SourceError(name, str(error)) from error

    def other(self, name: str) -> "ArazzoDocument":
        """Return the document of a source description of type arazzo.

        Raises:
            SourceError: the document is missing or invalid.

        """
        location = self._locate(name)
        if isinstance(location, str):
            raise SourceError(name, f"{location[:200]} is not fetched: put it beside the document")
        try:
            return ArazzoDocument(location, self._sources)
        except ProbeError as error:
            raise SourceError(name, str(error)) from error

    def warn_of_repeated_names(self) -> None:
        """Record a warning for each name that a contract repeats: its first value is ignored."""
        for name in self._descriptions:
            try:
                location = self._locate(name)
                is_contract = _is_file(location) and self.source_type(name) == "openapi"
                found = YamlDocument(Path(location)).duplicates if is_contract else []
            except (ProbeError, ConfinementError):  # parsing the workflows reports it
                continue
            for repeated, line, column in found:
                place = f"{Path(location).name}:{line}:{column}"
                message = f"{place}: {quoted(repeated)} is repeated, and only the last one counts"
                self.problems.add(self.source_place(name), message, is_warning=True)

    def _check_document(self, root: Cursor) -> str:
        version = root.text("arazzo") if isinstance(root.value, dict) else ""
        match = _VERSION.match(version)
        if match is None:
            root.problem(
                f"arazzo must be the version 1.0.x or 1.1.x of a document, not {quoted(version)}"
                if isinstance(root.value, dict)
                else "the document must be an object with arazzo: 1.0.1"
            )
            return ""
        is_1_1 = match["minor"] == "1"
        root.expect_fields("the document", (*DOCUMENT_FIELDS, *(("$self",) if is_1_1 else ())))
        for name, line, column in self._document.duplicates:
            self.problems.found.append(
                Problem(self._document.path.name, line, column, f"{quoted(name)} is repeated")
            )
        info = root.get("info")
        if info is None:
            root.problem("info is missing: it has a title and a version")
        elif info.expect_fields("info", ("title", "summary", "description", "version")):
            info.text("title", required=True)
            info.text("version", required=True)
        self._check_sources(root, is_1_1=is_1_1)
        components = root.get("components")
        if components is not None:
            components.expect_fields("components", COMPONENTS)
        check_unique(root.items("workflows", least=1), "workflowId", "workflows")
        return match["minor"]

    @staticmethod
    def _check_sources(root: Cursor, *, is_1_1: bool) -> None:
        types = ("openapi", "arazzo", *(("asyncapi",) if is_1_1 else ()))
        descriptions = root.items("sourceDescriptions", least=1)
        check_unique(descriptions, "name", "source descriptions")
        for item in descriptions:
            if item.expect_fields("a source description", ("name", "url", "type")):
                item.text("url", required=True)
                item.choice("type", types)


def _is_file(location: Path | str) -> TypeGuard[Path]:
    return isinstance(location, Path)


def check_unique(cursors: list[Cursor], name: str, what: str) -> None:
    """Record a problem for each id that is missing or repeated."""
    seen: set[str] = set()
    for cursor in cursors:
        text = cursor.text(name, required=True) if cursor.expect(dict, f"one of the {what}") else ""
        if text and text in seen:
            place = cursor.get(name) or cursor
            place.problem(f"two {what} have the {_LABELS.get(name, name)} {quoted(text)}")
        seen.add(text)


_LABELS = {"stepId": "id", "workflowId": "id"}
