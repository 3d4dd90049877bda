"""Exchanges of a run: requests with their responses, masked for output."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus, urlencode

from synthetic.probe.http import Request, Response
from synthetic.probe.masking import MASK, MASKED, is_secret_name
from synthetic.probe.media_types import FORM, parse_media_type, readable_text
from synthetic.probe.results import StepResult, Timings

MAX_BODY_CHARACTERS = 10_000  # of a body in an output
_PARAMETER = re.compile(r"([?&#])([^=?&#\s<>\"']+)=[^?&#\s<>\"']*")
_USER = re.compile(r"//[^/?#\s@<>\"']*@")
_PAIR = re.compile(r"([^=;\s]+)=[^;]*")


class Exchange(NamedTuple):
    """A request and its response as outputs show them: without secrets."""

    step_id: str
    started_at: datetime
    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    status: int  # 0 without a response
    response_headers: Mapping[str, str]
    response_body: str
    timings: Timings
    duration_ms: float


@dataclass(slots=True)
class ExchangeLog:
    """The exchanges of a command in order; each one is passed to ``show``."""

    show: Callable[[Exchange], None] | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    def record(
        self,
        result: StepResult,
        url: str,
        request: Request,
        response: Response | None,
        timings: Timings,
    ) -> None:
        """Add an exchange; without a response it has failed."""
        headers = response.headers if response else {}
        exchange = Exchange(
            result.step_id,
            datetime.now(UTC),
            request.method,
            masked_url(url),
            masked_headers(request.headers),
            masked_body(request.body, _content_type(request.headers)),
            response.status if response else 0,
            masked_headers(headers),
            masked_body(response.body, _content_type(headers)) if response else "",
            timings,
            timings.dns + timings.connect + timings.tls + timings.first_byte,
        )
        self.exchanges.append(exchange)
        if self.show is not None:
            self.show(exchange)


def format_exchange(exchange: Exchange) -> str:
    """Return an exchange as a text, with `>` before the request and `<` before the response."""
    sent = [f"{exchange.method} {exchange.url}"]
    sent += [f"{name}: {value}" for name, value in exchange.headers.items()]
    received = [str(exchange.status) if exchange.status else "no response"]
    received += [f"{name}: {value}" for name, value in exchange.response_headers.items()]
    return "\n".join(
        [
            f"{exchange.step_id}:",
            *(f"> {line}" for line in [*sent, *exchange.body.splitlines()]),
            *(f"< {line}" for line in [*received, *exchange.response_body.splitlines()]),
        ]
    )


def masked_url(url: str) -> str:
    """Return a text with URLs without users and without values of secret parameters."""
    shown = _USER.sub(f"//{MASKED}@", url) if "@" in url else url
    return MASK.mask(_PARAMETER.sub(_masked_parameter, shown))


def _masked_parameter(found: re.Match[str]) -> str:
    name = found[2]
    return f"{found[1]}{name}={MASKED}" if is_secret_name(unquote_plus(name)) else found[0]


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers without secret values; names of schemes and of cookies stay."""
    return {name: _masked_header(name.lower(), value) for name, value in headers.items()}


def _masked_header(name: str, value: str) -> str:
    if name in {"authorization", "proxy-authorization"}:
        return f"{value.partition(' ')[0]} {MASKED}" if " " in value else MASKED
    if name in {"cookie", "set-cookie"}:
        return _PAIR.sub(rf"\1={MASKED}", value)
    return MASKED if is_secret_name(name) else masked_url(value)


def masked_body(body: bytes, content_type: str) -> str:
    """Return a body as text without the values of secret members and fields."""
    media = parse_media_type(content_type)
    text = readable_text(body, media)
    if media.is_json:
        try:
            text = json.dumps(mask_members(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            return f"{len(body)} bytes that are not JSON"
    elif media.name == FORM:
        pairs = parse_qsl(text, keep_blank_values=True)
        text = urlencode([(n, MASKED if is_secret_name(n) else v) for n, v in pairs], safe="*")
    elif not media.is_text and not media.is_xml:
        return f"{len(body)} bytes" if body else ""
    return MASK.mask(text)[:MAX_BODY_CHARACTERS]


def mask_members(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value without the values of members that are secret by their names."""
    if isinstance(value, dict):
        return {
            name: MASKED
            if is_secret_name(name) and isinstance(member, str | int | float)
            else mask_members(member)
            for name, member in value.items()
        }
    return [mask_members(each) for each in value] if isinstance(value, list) else value


def _content_type(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "content-type"), "")
