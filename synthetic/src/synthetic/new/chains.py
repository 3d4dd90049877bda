"""Workflows of contracts: the life of each resource, and what only reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from synthetic.new.contract import Endpoint
from synthetic.new.draft import Draft, Exchange, Reference
from synthetic.new.locations import array_of, first_item, generated_filter
from synthetic.new.names import PARAMETER, identifier, label, path_nouns, path_parameters, unique
from synthetic.new.resources import Catalog, Resource
from synthetic.new.shapes import read_shape
from synthetic.new.writer import GONE, WorkflowWriter

STREAM = "text/event-stream"


@dataclass(slots=True)
class Written:
    """The workflows of some contracts, and the operations that none of them calls."""

    drafts: list[Draft] = field(default_factory=list)
    left_out: list[Endpoint] = field(default_factory=list)


class ChainWriter:
    """Writes the workflows of some contracts."""

    def __init__(self, catalog: Catalog, wanted: set[Endpoint], *, by_id: bool) -> None:
        """Write what calls the ``wanted`` operations."""
        self._catalog = catalog
        self._wanted = wanted
        self._by_id = by_id
        self._drafts: list[Draft] = []

    def write(self, named: set[Endpoint]) -> Written:
        """Return the workflows; operations that may do harm are called only if they are named."""
        written = Written(self._drafts)
        rest = [each for each in self._catalog.endpoints if each in self._wanted]
        for resource in self._catalog.resources:
            covered = {resource.creator, *resource.members} & self._wanted
            if covered:
                self._write_resource(resource, covered)
                rest = [each for each in rest if each not in covered]
        for listing, items in self._collections(rest):
            self._write_collection(listing, items)
            rest = [each for each in rest if each is not listing and each not in items]
        reads = [each for each in rest if each.is_safe and not _is_stream(each)]
        self._write_reads(reads)
        others = [each for each in rest if each not in reads]
        for endpoint in others:
            if endpoint in named:
                self._new(endpoint.name, f"{endpoint.name} succeeds").send(endpoint)
        written.left_out = [each for each in others if each not in named]
        return written

    def _new(self, name: str, summary: str) -> WorkflowWriter:
        taken = {draft.workflow_id for draft in self._drafts}
        draft = Draft(unique(identifier(name), taken), summary)
        self._drafts.append(draft)
        return WorkflowWriter(self._catalog, draft, by_id=self._by_id)

    def _write_resource(self, resource: Resource, wanted: set[Endpoint]) -> None:
        name = label(resource.creator.path)
        members = [member for member in resource.members if member in wanted]
        updates = [member for member in members if member.method in {"PUT", "PATCH"}]
        delete = self._catalog.deletion(resource)
        verbs = ["created"]
        verbs += ["read"] if any(member.is_safe for member in members) else []
        verbs += ["changed"] if updates else []
        verbs += ["deleted"] if delete is not None else []
        writer = self._new(name, f"{name}: one is {_joined(verbs)}")
        created = writer.create(resource)
        if created is None:
            return
        read = _main_read(resource, members)
        reads = [member for member in members if member.is_safe and member is not read]
        if read is not None:
            writer.send(read, resource, conditions=_read_back(read, created))
        for endpoint in reads:
            if not _is_stream(endpoint):
                self._read(writer, endpoint, resource, created)
        changed: Exchange | None = None
        for endpoint in updates:
            changed = writer.send(endpoint, resource, is_update=True)
        if read is not None and changed is not None:
            conditions = _read_back(read, changed)
            writer.send(read, resource, suffix="-updated", conditions=conditions)
        for endpoint in members:
            if endpoint.method == "DELETE" and endpoint is not delete:
                writer.send(endpoint, resource)
        if delete is not None and delete in wanted:
            writer.send(delete, resource)
            self._read_deleted(writer, read, delete, resource)

    @staticmethod
    def _read(
        writer: WorkflowWriter, endpoint: Endpoint, resource: Resource, created: Exchange
    ) -> None:
        """Read a list or a part of what was created; a filter finds it in the list."""
        query = generated_filter(endpoint, created)
        expression = first_item(endpoint, "id")
        if query is None or expression is None or path_parameters(endpoint.path):
            writer.send(endpoint, resource)
            return
        step = writer.send(endpoint, resource, query={query: created.payload[query]}).step
        identity = writer.values.find_id(f"{resource.noun}Id")
        if identity is not None:
            step["successCriteria"].append({"condition": f"{expression} == {identity}"})

    @staticmethod
    def _read_deleted(
        writer: WorkflowWriter, read: Endpoint | None, delete: Endpoint, resource: Resource
    ) -> None:
        """Read what was deleted; a deletion that is only accepted may take longer."""
        gone = [status for status in GONE if read is not None and read.declares(status)]
        if read is not None and gone and "202" not in delete.successes:
            conditions = [" || ".join(f"$statusCode == {status}" for status in gone)]
            writer.send(read, resource, suffix="-deleted", conditions=conditions)

    def _collections(self, rest: list[Endpoint]) -> Iterator[tuple[Endpoint, list[Endpoint]]]:
        """Yield the lists whose items have the id that other operations read them by."""
        items: dict[tuple[str, ...], list[Endpoint]] = {}
        for endpoint in rest:
            if endpoint.is_safe and endpoint.path.rstrip("/").endswith("}"):
                items.setdefault(path_nouns(endpoint.path), []).append(endpoint)
        for endpoint in rest:
            nouns = path_nouns(endpoint.path)
            found = items.pop((*nouns, PARAMETER), []) if endpoint.is_safe else []
            if found and first_item(endpoint, path_parameters(found[0].path)[-1]) is not None:
                yield endpoint, found

    def _write_collection(self, listing: Endpoint, items: list[Endpoint]) -> None:
        name = label(listing.path)
        writer = self._new(name, f"{name}: the list and its first item are read")
        expression = first_item(listing, path_parameters(items[0].path)[-1])
        listed = writer.send(listing)
        if expression is None:
            return
        output = Reference(listed.output(expression))
        for endpoint in items:
            writer.values.first_items[path_parameters(endpoint.path)[-1]] = output
        first, *_ = [writer.send(endpoint) for endpoint in items]
        listed.step["onSuccess"] = [
            {
                "name": "readFirst",
                "type": "goto",
                "stepId": first.step["stepId"],
                "criteria": [{"condition": f"{expression} != ''"}],
            },
            {"name": "isEmpty", "type": "end"},
        ]

    def _write_reads(self, endpoints: list[Endpoint]) -> None:
        """Write one workflow of all that can be read at once, and one for each other one."""
        together = []
        for endpoint in endpoints:
            writer = self._new(endpoint.name, f"{endpoint.name} succeeds")
            writer.send(endpoint)
            if not writer.draft.open_inputs:
                self._drafts.pop()
                together.append(endpoint)
        if together:
            writer = self._new("reads", "What needs no object is read")
            for endpoint in together:
                writer.send(endpoint)


def _main_read(resource: Resource, members: list[Endpoint]) -> Endpoint | None:
    """Return the operation that reads one created object; most declare what is missing."""
    reads = [each for each in members if each.method == "GET" and resource.is_item(each)]
    reads = [each for each in reads if array_of(each.response_schema) is None or _has_id(each)]
    return next((each for each in reads if each.declares("404")), next(iter(reads), None))


def _has_id(endpoint: Endpoint) -> bool:
    return "id" in read_shape(endpoint.response_schema).properties


def _read_back(read: Endpoint, exchange: Exchange) -> list[str]:
    """Return the conditions that a response has what was sent and differs in each run."""
    status = next((name for name in read.successes if name.isdigit()), "200")
    conditions = [f"$statusCode == {status}"]
    payload = exchange.payload if isinstance(exchange.payload, dict) else {}
    properties = read_shape(read.response_schema).properties
    for name, value in payload.items():
        shape = read_shape(properties.get(name))
        is_generated = isinstance(value, Reference) and value.startswith("$inputs.")
        if is_generated and "string" in shape.types and not shape.is_hidden("writeOnly"):
            pointer = name.replace("~", "~0").replace("/", "~1")
            conditions.append(f"$response.body#/{pointer} == {value}")
    return conditions


def _is_stream(endpoint: Endpoint) -> bool:
    content = endpoint.success.get("content") if endpoint.success is not None else None
    names = [name for name, _ in content.items()] if content is not None else []
    return bool(names) and all(name.startswith(STREAM) for name in names)


def _joined(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
