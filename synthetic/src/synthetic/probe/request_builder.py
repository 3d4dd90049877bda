"""Build a step's HTTP request from its parameters and payload."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from synthetic.probe.http import Request
from synthetic.probe.journey import Step
from synthetic.probe.operation import Operation
from synthetic.probe.parameter_values import (
    Pairs,
    ParameterSpec,
    cookie_pairs,
    header_text,
    join_pairs,
    path_text,
    query_pairs,
    query_string,
)
from synthetic.probe.request_body import encode_body
from synthetic.probe.results import public_error
from synthetic.probe.runtime_values import Context
from synthetic.probe.step_values import parameter_values, payload_value
from synthetic.probe.target import PATH_CHARACTERS

USER_AGENT = "cadastro-synthetic/1"
HALF_A_PAIR = "half of a surrogate pair, which is no character: a text was cut within one"

Values = Sequence[tuple[str, str, Any]]  # location, name and value of each parameter


def build_request(step: Step, context: Context) -> Request:
    """Return a step's request with its expressions evaluated.

    Raises:
        StepError: a value that the request needs does not exist, or cannot be sent.

    """
    try:
        return _build_request(step, context)
    except UnicodeEncodeError as error:  # JSON may escape a half, and other formats cannot
        raise public_error("runner", f"a value of the request has {HALF_A_PAIR}") from error


def _build_request(step: Step, context: Context) -> Request:
    given = parameter_values(step.parameters, context)
    values = [(parameter.location, parameter.name, value) for parameter, value in given]
    request = operation_request(step.operation, values)
    if step.body is None:
        return request
    payload, is_text = payload_value(step.body, context)
    content_type = step.body.content_type
    return add_body(request, step.operation, payload, content_type, is_text=is_text)


def operation_request(operation: Operation, values: Values) -> Request:
    """Return a request with the values of its parameters; those left out have their default.

    Raises:
        StepError: with the reason runner, when a parameter that is needed has no value.

    """
    builder = _RequestBuilder(operation.path)
    given = {(location, name) for location, name, _ in values}
    for key, spec in operation.specs.items():
        if spec.required and spec.default is not None and key not in given:
            builder.add(spec, spec.default)
    for location, name, value in values:
        builder.add(operation.spec(location, name), value, name)
    return Request(operation.method, builder.target(), builder.headers)


def add_body(
    request: Request,
    operation: Operation,
    payload: Any,  # noqa: ANN401 - any JSON
    content_type: str,
    *,
    is_text: bool,
) -> Request:
    """Return a request with a payload; an empty ``content_type`` stands for the contract's.

    ``is_text`` marks a string that is the text of the body, and not a JSON value.

    Raises:
        StepError: with the reason runner, when the media type cannot represent the payload.

    """
    content_type = content_type or operation.default_content_type
    media = operation.request_media(content_type)
    content_type, body = encode_body(payload, content_type, media, is_text=is_text)
    headers = {**request.headers, "Content-Type": content_type}
    return replace(request, headers=headers, body=body)


class _RequestBuilder:
    """Collects the parts of a request."""

    def __init__(self, path: str) -> None:
        self.headers = {"User-Agent": USER_AGENT}
        self._path = path
        self._query: Pairs = []
        self._query_string = ""
        self._cookies: Pairs = []

    def add(self, spec: ParameterSpec, value: object, name: str = "") -> None:
        """Add the value of a parameter; ``name`` is a header's name as the journey writes it."""
        if value is None and (spec.required or spec.location == "path"):
            raise public_error("runner", f"the {spec.location} parameter {spec.name} has no value")
        if spec.location == "path":
            self._path = self._path.replace(f"{{{spec.name}}}", path_text(spec, value))
        elif spec.location == "query":
            self._query += query_pairs(spec, value)
        elif spec.location == "querystring":
            self._query_string = query_string(spec, value)
        elif spec.location == "cookie":
            self._cookies += cookie_pairs(spec, value)
        elif value is not None:
            self.headers[name or spec.name] = header_text(spec, value)

    def target(self) -> str:
        """Return the path with the query, after adding the header of the cookies."""
        if self._cookies:
            given = [self.headers.pop(n) for n in list(self.headers) if n.lower() == "cookie"]
            pairs = [f"{name}={text}" for name, text in self._cookies]
            self.headers["Cookie"] = "; ".join([*given, *pairs])
        query = self._query_string or join_pairs(self._query)
        path = quote(self._path, safe=PATH_CHARACTERS)
        return f"{path}?{query}" if query else path
