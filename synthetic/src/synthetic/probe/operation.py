"""An operation of an OpenAPI contract, and validation of its requests and responses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from synthetic.probe.documents import Node
from synthetic.probe.exchanges import masked_url
from synthetic.probe.http import Response
from synthetic.probe.media_types import (
    LINES,
    MediaType,
    best_match,
    decode_text,
    parse_json,
    parse_json_lines,
    parse_media_type,
)
from synthetic.probe.parameter_values import ParameterSpec, parse_text, undeclared
from synthetic.probe.results import ProbeError, StepError, public_error
from synthetic.probe.schema_bundler import Direction
from synthetic.probe.schemas import SchemaCompiler, Violation
from synthetic.probe.security import Alternative

REDIRECTIONS = frozenset((301, 302, 303, 307, 308))
MAX_LOCATION = 200  # characters in an error message
BODYLESS_STATUSES = frozenset((204, 304))
MAX_MEDIA_TYPE_LENGTH = 100  # in an error message


@dataclass(slots=True)
class Operation:
    """One operation of a contract."""

    operation_id: str
    method: str
    path: str
    specs: Mapping[tuple[str, str], ParameterSpec]  # parameters by location and name
    request_content: Node | None  # by media type
    needs_body: bool
    responses: Node  # by status; without any, which OpenAPI 3.1 allows, each response is right
    security: tuple[Alternative, ...]
    server: str  # the URL of its first server; empty without one
    schemas: SchemaCompiler
    source: str = ""  # the name of the source description that it was found by

    @property
    def parameters(self) -> Mapping[tuple[str, str], bool]:
        """The parameters by location and name: whether a request must give a value."""
        return {key: spec.required and spec.default is None for key, spec in self.specs.items()}

    def spec(self, location: str, name: str) -> ParameterSpec:
        """Return a parameter; header names compare without regard to case."""
        found = self.specs.get((location, name))
        if found is None and location == "header":
            headers = (spec for spec in self.specs.values() if spec.location == "header")
            found = next((spec for spec in headers if spec.name.lower() == name.lower()), None)
        return found or undeclared(location, name)

    @property
    def default_content_type(self) -> str:
        """The media type of a request without one: JSON if declared, or the first one declared."""
        declared = list(self.request_content.value) if self.request_content else []
        concrete = [name for name in declared if "*" not in name]
        json_types = [name for name in concrete if parse_media_type(name).is_json]
        return next(iter([*json_types, *concrete]), "application/json")

    def request_media(self, content_type: str) -> Node | None:
        """Return the Media Type Object for a request body, or None without one."""
        if self.request_content is None:
            return None
        key = best_match(self.request_content.value, content_type)
        return self.request_content.get(key) if key is not None else None

    def compile_schemas(self) -> None:
        """Compile the schemas of JSON requests and responses.

        Raises:
            ProbeError: a schema is invalid, or refers to what does not exist.

        """
        for content, direction in self._contents():
            for media_type, described in content.items():
                schema = described.member("schema")
                if schema is not None and "json" in media_type:
                    next(self.schemas.errors(schema, None, direction), None)

    def _contents(self) -> Iterator[tuple[Node, Direction]]:
        if self.request_content is not None:
            yield self.request_content, "request"
        for response in dict(self.responses.items()).values():
            content = response.get("content")
            if content is not None:
                yield content, "response"

    def request_errors(self, content_type: str, payload: Any) -> Iterator[Violation]:  # noqa: ANN401
        """Yield each violation of a JSON payload; none contains a value.

        Raises:
            ProbeError: the schema is invalid.

        """
        described = self.request_media(content_type)
        schema = described.member("schema") if described else None
        if schema is not None:
            yield from self.schemas.errors(schema, payload, "request")

    def check_response(self, response: Response, *, assert_formats: bool = True) -> None:
        """Validate status, headers and body of a response against the contract.

        Without ``assert_formats`` a `format` is an annotation.

        Raises:
            StepError: with the reason schema, or runner when the contract is invalid; the message
                has the place and no values.

        """
        self.schemas.assert_formats = assert_formats
        try:
            self._check_response(response)
        except ProbeError as error:
            raise public_error("runner", f"the contract is invalid: {error}") from error

    def _check_response(self, response: Response) -> None:
        if not self.responses.value:
            return
        try:
            declared = self.declared_response(response.status)
        except StepError as error:
            detail = f"{error}{_redirection(response)}"
            raise StepError("schema", detail, error.evidence) from error
        for name, header in headers.items() if (headers := declared.get("headers")) else []:
            if name.lower() != "content-type":  # OpenAPI: it shall be ignored
                self._check_header(name, header, response.headers.get(name.lower()))
        content = declared.get("content")
        if content is None or not content.value:
            if response.body:
                raise public_error(
                    "schema", f"{response.status} has a body, and the contract declares none"
                )
            return
        if self.method == "HEAD" or response.status in BODYLESS_STATUSES:
            return
        self._check_body(content, response)

    def declared_response(self, status: int) -> Node:
        """Return what the contract declares for a status.

        Raises:
            StepError: it declares nothing.

        """
        for key in (str(status), f"{status // 100}XX", "default"):
            found = self.responses.get(key)
            if found is not None:
                return found
        hint = self.misspelt_range(status)
        raise public_error("schema", f"the contract does not declare the status {status}{hint}")

    def misspelt_range(self, status: int) -> str:
        """Return a hint, or an empty text, on a range that OpenAPI does not know."""
        key = f"{status // 100}xx"
        is_declared = self.responses.get(key) is not None
        return f": {key} is no range of OpenAPI, write {key.upper()}" if is_declared else ""

    def _check_header(self, name: str, header: Node, text: str | None) -> None:
        if text is None:
            if header.value.get("required"):
                raise public_error("schema", f"the header {name} is missing")
            return
        what = f"the header {name}"
        content, schema = header.get("content"), header.member("schema")
        if content is not None:
            for media_type, described in content.items():
                self._check_content(described, parse_media_type(media_type), text.encode(), what)
        elif schema is not None:
            explode = header.value.get("explode") is True
            self._check_schema(schema, parse_text(text, schema, explode=explode), what)

    def _check_body(self, content: Node, response: Response) -> None:
        content_type = response.headers.get("content-type", "")
        media = parse_media_type(content_type)
        key = best_match(content.value, content_type)
        described = content.get(key) if key is not None else None
        if described is None:
            is_short = media.name.isprintable() and len(media.name) < MAX_MEDIA_TYPE_LENGTH
            named = media.name if is_short else "something else"
            raise public_error("schema", f"{response.status} came as {named or 'nothing'}")
        self._check_content(described, media, response.body, f"the body of {response.status}")

    def _check_content(self, described: Node, media: MediaType, body: bytes, what: str) -> None:
        """Check JSON, JSON lines and text; other media types have no JSON value to check."""
        schema, item_schema = described.member("schema"), described.member("itemSchema")
        if schema is None and item_schema is None:
            return
        try:
            if media.name in LINES:
                self._check_lines(parse_json_lines(body), schema, item_schema, what)
            elif schema is not None and media.is_json:
                self._check_schema(schema, parse_json(body), what)
            elif schema is not None and media.is_text:
                self._check_schema(schema, parse_text(decode_text(body, media), schema), what)
        except (ValueError, RecursionError) as error:
            raise StepError("schema", f"{what} is not {_parse_failure(media, error)}") from error

    def _check_lines(
        self, values: list[Any], schema: Node | None, item_schema: Node | None, what: str
    ) -> None:
        if schema is not None:
            self._check_schema(schema, values, what)
        for index, value in enumerate(values if item_schema is not None else []):
            if item_schema is not None:
                self._check_schema(item_schema, value, f"line {index + 1} of {what}")

    def _check_schema(self, schema: Node, value: Any, what: str) -> None:  # noqa: ANN401 - any JSON
        error = next(self.schemas.errors(schema, value, "response"), None)
        if error is not None:
            place = f" (schema {error.schema})" if error.schema else ""
            evidence = {
                "pointer": error.pointer,
                "problem": error.message,
                "schema": error.schema,
                "keyword": error.keyword,
                "declared": error.declared,
            }
            raise StepError("schema", f"{what}{error}{place}", [evidence])


def _parse_failure(media: MediaType, error: Exception) -> str:
    """Return what a body is not, and why; no message contains a value."""
    if media.is_text:
        return f"valid {media.charset[:40]}"
    return f"JSON: {'it is nested too deeply' if isinstance(error, RecursionError) else error}"


def _redirection(response: Response) -> str:
    """Return where a response redirects to, which a step does not follow."""
    if response.status not in REDIRECTIONS:
        return ""
    location = response.headers.get("location")
    if location is None:
        return ", which redirects without a Location"
    return f", which redirects to {masked_url(location)[:MAX_LOCATION]}"
