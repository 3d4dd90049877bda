"""Exchanges as an HTTP Archive (HAR 1.2)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from synthetic.probe.exchanges import Exchange
from synthetic.probe.results import RunResult, StepResult


def format_har(exchanges: Sequence[Exchange], runs: Sequence[RunResult] = ()) -> str:
    """Return an archive; each entry's comment is the step.

    The last entry of a failed step has the member `_failure`, with the reason and the evidence.
    """
    creator = {"name": "synthetic probe", "version": "1"}
    failed = {step.step_id: step for run in runs for step in run.steps if step.reason}
    entries = []
    for exchange in reversed(exchanges):
        step = failed.pop(exchange.step_id, None)
        entries.append({**_entry(exchange), **({"_failure": _failure(step)} if step else {})})
    entries.reverse()
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": entries}})


def _failure(step: StepResult) -> dict[str, Any]:
    described = step.to_dict()
    return {name: described[name] for name in ("reason", "detail", "evidence")}


def _entry(exchange: Exchange) -> dict[str, Any]:
    timings = exchange.timings
    return {
        "startedDateTime": exchange.started_at.isoformat(timespec="milliseconds"),
        "time": round(exchange.duration_ms, 1),
        "comment": exchange.step_id,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {
            "dns": round(timings.dns, 1) or -1,
            # HAR counts the TLS handshake as a part of connecting
            "connect": round(timings.connect + timings.tls, 1) or -1,
            "ssl": round(timings.tls, 1) or -1,
            "send": 0,
            "wait": round(timings.first_byte, 1),
            "receive": 0,
        },
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    request = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "headers": _pairs(exchange.headers),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True)
        ],
        "cookies": [],
        "headersSize": -1,
        "bodySize": _size(exchange.body),
    }
    if exchange.body:
        media_type = _media_type(exchange.headers)
        request["postData"] = {"mimeType": media_type, "params": [], "text": exchange.body}
    return request


def _response(exchange: Exchange) -> dict[str, Any]:
    return {
        "status": exchange.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "headers": _pairs(exchange.response_headers),
        "cookies": [],
        "content": {
            "size": _size(exchange.response_body),
            "mimeType": _media_type(exchange.response_headers),
            "text": exchange.response_body,
        },
        "redirectURL": exchange.response_headers.get("location", ""),
        "headersSize": -1,
        "bodySize": -1,
    }


def _pairs(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def _size(text: str) -> int:
    """Return the bytes of a text, which JSON may have cut within a surrogate pair."""
    return len(text.encode(errors="surrogatepass"))


def _media_type(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "content-type"), "")
