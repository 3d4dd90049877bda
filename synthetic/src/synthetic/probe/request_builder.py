"""Build a step's HTTP request from its parameters and payload."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from synthetic.probe.http import Request
from synthetic.probe.journey import Step
from synthetic.probe.runtime_values import Context, as_text
from synthetic.probe.step_values import parameter_values, payload_value

USER_AGENT = "cadastro-synthetic/1"


def build_request(step: Step, context: Context) -> Request:
    """Return a step's request with its expressions evaluated.

    Raises:
        StepError: a value that the request needs does not exist.

    """
    path, query, headers = step.operation.path, {}, {"User-Agent": USER_AGENT}
    for parameter, value in parameter_values(step.parameters, context):
        text = as_text(value)
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(text, safe=""))
        elif parameter.location == "query":
            query[parameter.name] = text
        else:
            headers[parameter.name] = text
    if query:
        path = f"{path}?{urlencode(query)}"
    if step.body is None:
        return Request(step.operation.method, path, headers)
    payload, is_text = payload_value(step.body, context)
    headers["Content-Type"] = step.body.content_type or "application/json"
    body = _encode(payload, headers["Content-Type"], is_text=is_text)
    return Request(step.operation.method, path, headers, body)


def _encode(payload: Any, content_type: str, *, is_text: bool) -> bytes:  # noqa: ANN401 - any JSON
    if is_text and isinstance(payload, str):
        return payload.encode()
    if content_type == "application/x-www-form-urlencoded" and isinstance(payload, Mapping):
        fields = {name: as_text(value) for name, value in payload.items() if value is not None}
        return urlencode(fields).encode()
    return json.dumps(payload, ensure_ascii=False).encode()
