"""Resources of contracts: what is created, and the operations on what was created."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from synthetic.new.contract import Endpoint
from synthetic.new.links import Link, find_links
from synthetic.new.names import (
    PARAMETER,
    collection,
    id_noun,
    noun,
    path_nouns,
    path_parameters,
    words,
)
from synthetic.new.shapes import json_schema, read_shape
from synthetic.probe.documents import Node

WRITES = frozenset(("PUT", "PATCH", "DELETE"))
MAX_WRAPPERS = 2  # objects around the members of a response, such as `data`


@dataclass(eq=False)
class Resource:
    """What one operation creates; `members` read, change or delete it."""

    creator: Endpoint
    members: list[Endpoint] = field(default_factory=list)

    @property
    def noun(self) -> str:
        """The singular of its name."""
        nouns = collection(self.creator.path)
        return nouns[-1] if nouns else ""

    def is_item(self, endpoint: Endpoint) -> bool:
        """Return whether an operation acts on one created object as a whole."""
        return path_nouns(endpoint.path) == (*path_nouns(self.creator.path), PARAMETER)


class Catalog:
    """The resources of some contracts, and where the values of ids come from."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        """Find the resources; what several operations create belongs to the first one."""
        self.endpoints = list(endpoints)
        self._links_to: dict[Endpoint, list[Link]] = {}
        self._links_from: dict[Endpoint, list[Link]] = {}
        for link in find_links(self.endpoints):
            self._links_to.setdefault(link.target, []).append(link)
            self._links_from.setdefault(link.source, []).append(link)
        self._parameters: dict[tuple[str, ...], str] = {}  # the last one, by a path's nouns
        for each in self.endpoints:
            if each.path.endswith("}"):
                last = path_parameters(each.path)[-1]
                self._parameters.setdefault(path_nouns(each.path), last)
        self.resources: list[Resource] = []
        self._by_creator: dict[Endpoint, Resource] = {}
        self._by_collection: dict[tuple[str, ...], Resource] = {}
        self._by_noun: dict[str, Resource] = {}
        for endpoint in self.endpoints:
            if self._is_creator(endpoint):
                self._add(Resource(endpoint))
        for endpoint in self.endpoints:
            owner = self._owner(endpoint)
            if owner is not None:
                owner.members.append(endpoint)

    def by_noun(self, name: str) -> Resource | None:
        """Return the resource that an id such as ``billingAddressId`` refers to."""
        parts = words(name)[:-1]
        for start in range(len(parts)):
            found = self._by_noun.get(noun("_".join(parts[start:])))
            if found is not None:
                return found
        return None

    def created_by(self, endpoint: Endpoint) -> Resource | None:
        """Return the resource that an operation creates."""
        return self._by_creator.get(endpoint)

    def links_to(self, endpoint: Endpoint) -> list[Link]:
        """Return the links to an operation, those of its own resource first."""
        links = self._links_to.get(endpoint, [])
        return sorted(links, key=lambda link: endpoint not in self._members(link.source))

    def path_source(self, endpoint: Endpoint, name: str) -> tuple[Resource, str] | None:
        """Return the resource and the expression that a path parameter's value comes from."""
        by_noun = self.by_noun(name) if id_noun(name) else None
        if by_noun is not None and by_noun.creator is not endpoint:
            expression = identity(by_noun.creator, name)
            if expression is not None:
                return by_noun, expression
        parent = self.parent(endpoint, name)
        if parent is None:
            return None
        if id_noun(name) and name in request_properties(parent.creator):
            return parent, f"$request.body#/{name}"
        expression = identity(parent.creator, name)
        return (parent, expression) if expression is not None else None

    def parent(self, endpoint: Endpoint, name: str) -> Resource | None:
        """Return the resource of the path before a parameter."""
        before = endpoint.path.partition(f"{{{name}}}")[0]
        found = self._by_collection.get(collection(before))
        return found if found is None or found.creator is not endpoint else None

    def deletion(self, resource: Resource) -> Endpoint | None:
        """Return the operation that deletes what a creator created, by its path or by a link."""
        deletes = [member for member in resource.members if member.method == "DELETE"]
        items = [member for member in deletes if resource.is_item(member)]
        linked = [m for m in deletes if any(k.source is resource.creator for k in self.links_to(m))]
        return next(iter([*items, *linked]), None)

    def _add(self, resource: Resource) -> None:
        self.resources.append(resource)
        self._by_creator[resource.creator] = resource
        self._by_collection.setdefault(collection(resource.creator.path), resource)
        self._by_noun.setdefault(resource.noun, resource)

    def _members(self, creator: Endpoint) -> list[Endpoint]:
        resource = self.created_by(creator)
        return resource.members if resource is not None else []

    def _is_creator(self, endpoint: Endpoint) -> bool:
        """Return whether an operation creates an object whose id its response has."""
        if endpoint.method != "POST" or endpoint.path.rstrip("/").endswith("}"):
            return False
        if collection(endpoint.path) in self._by_collection:
            return False
        links = self._links_from.get(endpoint, [])
        if "201" in endpoint.successes or any(link.parameters for link in links):
            return True
        parameter = self._parameters.get((*path_nouns(endpoint.path), PARAMETER))
        return parameter is not None and identity(endpoint, parameter) is not None

    def _owner(self, endpoint: Endpoint) -> Resource | None:
        """Return the resource that an operation reads, changes or deletes."""
        if self.created_by(endpoint) is not None:
            return None
        if not endpoint.is_safe and endpoint.method not in WRITES:
            return None
        own = self._by_collection.get(collection(endpoint.path))
        if own is not None and self._acts_on(endpoint, own):
            return own
        linking = [self.created_by(link.source) for link in self.links_to(endpoint)]
        for resource in (*linking, self._parent(endpoint)):
            if resource is not None and self._acts_on(endpoint, resource):
                return resource
        return None

    def _parent(self, endpoint: Endpoint) -> Resource | None:
        parameters = path_parameters(endpoint.path)
        source = self.path_source(endpoint, parameters[-1]) if parameters else None
        return source[0] if source is not None else None

    def _acts_on(self, endpoint: Endpoint, resource: Resource) -> bool:
        """Return whether an operation may be called for what a resource's creator created.

        One that writes has to name the created object in its path.
        """
        links = [link for link in self.links_to(endpoint) if link.source is resource.creator]
        parameters = path_parameters(endpoint.path)
        if endpoint.is_safe and (not parameters or any(link.parameters for link in links)):
            return True
        if not parameters:
            return False
        linked = [str(link.parameter("path", parameters[-1])) for link in links]
        source = self.path_source(endpoint, parameters[-1])
        own = [source[1]] if source is not None and source[0] is resource else []
        if endpoint.is_safe:
            return bool(own) or resource.is_item(endpoint)
        if any(text.startswith("$response.") for text in (*linked, *own)):
            return True
        return resource.is_item(endpoint) and self.parent(endpoint, parameters[-1]) is resource


def identity(creator: Endpoint, name: str) -> str | None:
    """Return the expression for the value of a path parameter in a creator's exchange.

    It is a member of the response, or a member of the request that the caller chooses.
    """
    found = member_pointer(creator.response_schema, name, creator)
    if found is not None:
        return f"$response.body#/{found}"
    wanted = noun(name)
    own = noun(f"{collection(creator.path)[-1]}_{name}") if collection(creator.path) else wanted
    for member in request_properties(creator):
        if noun(member) in {wanted, own}:
            return f"$request.body#/{_escaped(member)}"
    return None


def member_pointer(schema: Node | None, name: str, creator: Endpoint, depth: int = 0) -> str | None:
    """Return the JSON pointer, without its first slash, of an object's id in a response."""
    if schema is None or depth > MAX_WRAPPERS:
        return None
    properties = read_shape(schema).properties
    by_noun = {noun(member): member for member in reversed(properties)}
    nouns = collection(creator.path)
    candidates = [noun(name)]
    if id_noun(name) is not None or noun(name) in {"key", "code", "number"}:
        kind = nouns[-1] if nouns else ""
        candidates += ["id", f"{kind}id", "uuid", f"{kind}uuid", "guid", "key"]
    for candidate in candidates:
        if candidate in by_noun:
            return _escaped(by_noun[candidate])
    for member, described in properties.items():
        is_wrapper = _wraps(member, nouns)
        found = member_pointer(described, name, creator, depth + 1) if is_wrapper else None
        if found is not None:
            return f"{_escaped(member)}/{found}"
    return None


def _wraps(member: str, nouns: tuple[str, ...]) -> bool:
    return noun(member) in {"data", "result", "item", "attribute", "resource", *nouns[-1:]}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def request_properties(endpoint: Endpoint) -> Mapping[str, Node]:
    """Return the properties of a JSON request body."""
    return read_shape(json_schema(endpoint.operation.request_content)).properties
