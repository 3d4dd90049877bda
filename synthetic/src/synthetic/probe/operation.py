"""An operation of an OpenAPI contract, and validation of its responses."""

import json
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from synthetic.probe.documents import DocumentStore, Node
from synthetic.probe.http import Response
from synthetic.probe.results import StepError

BODYLESS_STATUSES = frozenset((204, 304))
MAX_MEDIA_TYPE_LENGTH = 100  # in an error message

Validator = jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator


@dataclass(slots=True)
class Operation:
    """One operation of a contract."""

    operation_id: str
    method: str
    path: str
    parameters: dict[tuple[str, str], bool]  # (location, name) -> required
    responses: Node
    token_url: str  # tokenUrl of its security scheme; empty without one
    validator: type[Validator]
    documents: DocumentStore
    _validators: dict[str, Validator] = field(default_factory=dict)

    def check_response(self, response: Response) -> None:
        """Validate status, headers and body of a response against the contract.

        Raises:
            StepError: with the reason schema; the message has the place and no values.

        """
        declared = self._declared_response(response.status)
        for name, header in headers.items() if (headers := declared.get("headers")) else []:
            self._check_header(name, header, response.headers.get(name.lower()))
        content = declared.get("content")
        if content is None or not content.value:
            if response.body:
                raise StepError(
                    "schema", f"{response.status} has a body, and the contract declares none"
                )
            return
        if self.method == "HEAD" or response.status in BODYLESS_STATUSES:
            return
        self._check_body(content, response)

    def _declared_response(self, status: int) -> Node:
        for key in (str(status), f"{status // 100}XX", "default"):
            found = self.responses.get(key)
            if found is not None:
                return found
        raise StepError("schema", f"the contract does not declare the status {status}")

    def _check_header(self, name: str, header: Node, value: str | None) -> None:
        if value is None:
            if header.value.get("required"):
                raise StepError("schema", f"the header {name} is missing")
            return
        schema = header.get("schema")
        if schema is None:
            return
        is_number = schema.value.get("type") in {"integer", "number"}
        self._check_schema(
            schema, _parse_number(value) if is_number else value, f"the header {name}"
        )

    def _check_body(self, content: Node, response: Response) -> None:
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        described = content.get(media)
        if described is None:
            named = media if media.isprintable() and len(media) < 100 else "something else"  # noqa: PLR2004
            raise StepError("schema", f"{response.status} came as {named or 'nothing'}")
        schema = described.get("schema")
        if schema is None or not media.endswith("json"):
            return
        try:
            body = json.loads(response.body)
        except (ValueError, RecursionError) as error:
            raise StepError("schema", f"the body of {response.status} is not JSON") from error
        self._check_schema(schema, body, f"the body of {response.status}")

    def _check_schema(self, schema: Node, value: Any, what: str) -> None:  # noqa: ANN401 - any JSON
        if schema.uri not in self._validators:
            self._validators[schema.uri] = self.validator(
                {"$ref": schema.uri},
                retriever=self.documents.retrieve,
                mask="the value",
                validate_formats=True,
            )
        error = next(self._validators[schema.uri].iter_errors(value), None)
        if error is not None:
            place = "/".join(map(str, error.instance_path))
            where = f"{what} at {place}" if place else what
            raise StepError("schema", f"{where}: {error.message}")


def _parse_number(text: str) -> Any:  # noqa: ANN401 - a number, or the text that is none
    try:
        return json.loads(text)
    except ValueError:
        return text
