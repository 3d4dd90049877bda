"""The contract as JSON, and Swagger UI served from this process alone.

All references are relative, since a proxy may strip a prefix from the path.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, abort, redirect
from swagger_ui_bundle import swagger_ui_path
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as AnyResponse

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'"
)
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" type="image/png" href="favicon-32x32.png">
<div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</html>
"""

_START = "SwaggerUIBundle({options});\n"


def register(app: Flask, prefix: str, contract: dict[str, Any]) -> None:
    """Serve ``<prefix>/openapi.json`` and ``<prefix>/docs/`` without authentication."""
    # relative to the document, and the base of its whole paths
    document = orjson.dumps({**contract, "servers": [{"url": ".."}]})
    page = _PAGE.format(title=contract["info"]["title"])
    options = {"url": "../openapi.json", "dom_id": "#swagger-ui", "deepLinking": True}
    start = _START.format(options=json.dumps(options))

    def openapi() -> Response:
        return Response(document, content_type="application/json")

    def docs() -> AnyResponse:
        return _with_csp(Response(page, content_type="text/html; charset=utf-8"))

    def docs_redirect() -> AnyResponse:
        # the links of the page are relative, so its path must end in a slash
        return redirect("docs/", code=308)

    def asset(name: str) -> AnyResponse:
        if name == "start.js":
            return _with_csp(Response(start, content_type=MEDIA_TYPES[".js"]))
        return _with_csp(_asset(name))

    app.add_url_rule(f"{prefix}/openapi.json", "openapi", openapi)
    app.add_url_rule(f"{prefix}/docs", "docs_redirect", docs_redirect, strict_slashes=True)
    app.add_url_rule(f"{prefix}/docs/", "docs", docs, strict_slashes=True)
    app.add_url_rule(f"{prefix}/docs/<name>", "docs_asset", asset)


def _asset(name: str) -> Response:
    path = safe_join(str(swagger_ui_path), name)
    media_type = MEDIA_TYPES.get(Path(name).suffix)
    if path is None or media_type is None or not Path(path).is_file():
        abort(404)
    return Response(_read(path), content_type=media_type)


@cache
def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _with_csp(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CSP
    return response
