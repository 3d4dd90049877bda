"""Build a step's HTTP request from its parameters and payload."""

import json
from urllib.parse import quote, urlencode

from synthetic.probe.expressions import Context, as_text, interpolate
from synthetic.probe.http import Request
from synthetic.probe.journey import Step

USER_AGENT = "cadastro-synthetic/1"


def build_request(step: Step, context: Context) -> Request:
    """Return a step's request with its expressions evaluated."""
    path, query, headers = step.operation.path, {}, {"User-Agent": USER_AGENT}
    for parameter in step.parameters:
        text = as_text(interpolate(parameter.value, context))
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(text, safe=""))
        elif parameter.location == "query":
            query[parameter.name] = text
        else:
            headers[parameter.name] = text
    if query:
        path = f"{path}?{urlencode(query)}"
    body = _body(step, context)
    if step.content_type:
        headers["Content-Type"] = step.content_type
    return Request(step.operation.method, path, headers, body)


def _body(step: Step, context: Context) -> bytes:
    if not step.content_type:
        return b""
    payload = interpolate(step.payload, context)
    if step.content_type == "application/x-www-form-urlencoded":
        fields = {name: as_text(value) for name, value in payload.items() if value is not None}
        return urlencode(fields).encode()
    return json.dumps(payload, ensure_ascii=False).encode()
