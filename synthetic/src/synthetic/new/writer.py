"""Steps of one workflow: each call with what it needs, created first where that is possible."""

from collections.abc import Mapping
from typing import Any

from synthetic.new.contract import Endpoint
from synthetic.new.draft import Draft, Exchange, call, success_condition
from synthetic.new.payloads import PayloadWriter
from synthetic.new.resources import Catalog, Resource
from synthetic.new.values import ValueFinder, id_of
from synthetic.probe.parameter_values import ParameterSpec

BODY_METHODS = frozenset(("POST", "PUT", "PATCH", "QUERY"))
ORDER = (
    "stepId", "operationId", "operationPath", "parameters", "requestBody", "successCriteria",
    "onSuccess", "onFailure", "outputs", "x-cleanup",
)  # fmt: skip
AGAIN = {"name": "again", "type": "retry", "retryAfter": 0.5, "retryLimit": 20}
GONE = ("404", "410")


class WorkflowWriter:
    """Adds steps to a draft, and the creation of what they need before them."""

    def __init__(self, catalog: Catalog, draft: Draft, *, by_id: bool) -> None:
        """Write to ``draft``; ``by_id`` names operations by their operationIds."""
        self.draft = draft
        self._catalog = catalog
        self._by_id = by_id
        self._exchanges: dict[Resource, Exchange] = {}
        self._creating: list[Resource] = []
        self._versions: dict[Resource, Exchange] = {}  # the last response with an entity tag
        self.values = ValueFinder(catalog, draft, self.create, self._locate)
        self._located: dict[Resource, Exchange] = {}

    def create(self, resource: Resource) -> Exchange | None:
        """Add the step that creates a resource, once; None while it is being written."""
        if resource in self._exchanges:
            return self._exchanges[resource]
        if resource in self._creating:
            return None
        self._creating.append(resource)
        exchange = self.send(resource.creator, resource)
        self._creating.remove(resource)
        self._exchanges[resource] = exchange
        delete = self._catalog.deletion(resource)
        if delete is None:
            noun = resource.noun or "object"
            self.draft.notes.append(
                f"no operation deletes the {noun} that {resource.creator.name} creates"
            )
        else:
            cleanup = self._clean_up(delete, resource)
            self.draft.steps[-1]["x-cleanup"] = cleanup  # its id may come from a later step
        return exchange

    def send(
        self,
        endpoint: Endpoint,
        resource: Resource | None = None,
        *,
        suffix: str = "",
        conditions: list[str] | None = None,
        is_update: bool = False,
        query: Mapping[str, Any] | None = None,
    ) -> Exchange:
        """Add a step that calls an operation.

        ``conditions`` replace that of its success, and ``query`` has values of parameters.
        """
        step, exchange = self._step(endpoint, resource, is_update=is_update, query=query)
        step["stepId"] = self.draft.step_id(endpoint.name, suffix)
        texts = conditions or [success_condition(endpoint)]
        step["successCriteria"] = [{"condition": text} for text in texts]
        self.draft.steps.append(step)
        if resource is not None:
            self._note_version(endpoint, resource, exchange)
        return exchange

    def known(self, resource: Resource) -> Exchange:
        """Return the step that created a resource."""
        return self._exchanges[resource]

    def _step(
        self,
        endpoint: Endpoint,
        resource: Resource | None,
        *,
        is_update: bool = False,
        query: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Exchange]:
        step: dict[str, Any] = {"stepId": "", **call(endpoint, by_id=self._by_id)}
        given = {("query", name): value for name, value in (query or {}).items()}
        values = given | {
            key: value
            for key in endpoint.parameters
            if key not in given and (value := self._parameter(endpoint, resource, *key)) is not None
        }
        if values:
            step["parameters"] = [
                {"name": name, "in": location, "value": value}
                for (location, name), value in values.items()
            ]
        payload = None
        if self._has_body(endpoint):
            payload = self._body(endpoint, resource, step, is_update=is_update)
        return step, Exchange(endpoint, step, payload, values)

    @staticmethod
    def _has_body(endpoint: Endpoint) -> bool:
        if endpoint.operation.request_content is None:
            return False
        body = endpoint.node.get("requestBody")
        return endpoint.method in BODY_METHODS or (
            body is not None and body.value.get("required") is True
        )

    def _body(
        self,
        endpoint: Endpoint,
        resource: Resource | None,
        step: dict[str, Any],
        *,
        is_update: bool,
    ) -> Any:  # noqa: ANN401 - any template
        noun = resource.noun if resource is not None else id_of(endpoint)
        writer = PayloadWriter(endpoint, self.draft, noun, self.values.find_id, is_update)
        content_type, payload = writer.write(self.values.linked_body(endpoint))
        step["requestBody"] = {"contentType": content_type, "payload": payload}
        return payload

    def _parameter(
        self, endpoint: Endpoint, resource: Resource | None, location: str, name: str
    ) -> Any:  # noqa: ANN401 - any template
        spec = endpoint.operation.specs.get((location, name))
        if spec is None or location == "querystring":
            return None
        noun = resource.noun if resource is not None else id_of(endpoint)
        if location == "header" and name.lower() == "if-match":
            return self._version(endpoint, spec, resource)
        return self.values.find(endpoint, spec, noun)

    def _version(
        self, endpoint: Endpoint, spec: ParameterSpec, resource: Resource | None
    ) -> str | None:
        """Return the last entity tag (RFC 9110) if the contract demands one."""
        if not spec.required and not endpoint.declares("428"):
            return None
        known = self._versions.get(resource) if resource is not None else None
        name = known.endpoint.response_header("ETag") if known is not None else None
        return known.output(f"$response.header.{name}") if known is not None and name else "*"

    def _locate(self, resource: Resource, listing: Endpoint, query: str) -> Exchange | None:
        """Add the step that finds a created object in a list by what was sent, once."""
        created = self._exchanges.get(resource)
        if resource not in self._located and created is not None:
            values = {query: created.payload[query]}
            self._located[resource] = self.send(listing, suffix="-created", query=values)
        return self._located.get(resource)

    def _note_version(self, endpoint: Endpoint, resource: Resource, exchange: Exchange) -> None:
        if endpoint.response_header("ETag") is not None:
            self._versions[resource] = exchange
        elif not endpoint.is_safe:
            self._versions.pop(resource, None)

    def _clean_up(self, delete: Endpoint, resource: Resource) -> dict[str, Any]:
        version = self._versions.pop(resource, None)  # another step may change it
        step, _ = self._step(delete, resource)
        if version is not None:
            self._versions[resource] = version
        step["stepId"] = self.draft.step_id(delete.name, "-cleanup")
        step["successCriteria"] = [{"condition": success_condition(delete, *GONE)}]
        step["onFailure"] = [dict(AGAIN)]
        return ordered(step)


def ordered(step: dict[str, Any]) -> dict[str, Any]:
    """Return a step with its members in the order of the standard."""
    return {name: step[name] for name in ORDER if name in step}
