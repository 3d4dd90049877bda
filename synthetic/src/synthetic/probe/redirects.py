"""Redirects: the next request after a response with a 3xx status (RFC 9110, 15.4)."""

from dataclasses import replace
from typing import NamedTuple, Protocol
from urllib.parse import quote, urljoin

from synthetic.probe.http import Request, Response
from synthetic.probe.masking import MASK, is_secret_name
from synthetic.probe.results import ProbeError, StepError, StepResult
from synthetic.probe.target import Target, parse_endpoint

KEEPS_METHOD = frozenset((307, 308))
SEE_OTHER = 303
STATUSES = frozenset((301, 302, SEE_OTHER, *KEEPS_METHOD))
URL_CHARACTERS = ":/?#[]@!$&'()*+,;=-._~%"  # RFC 3986, 2
CONTENT_HEADERS = "content-"


class Exchange(Protocol):
    """Sends a request to a server, with credentials if it has the origin of the first one."""

    def __call__(self, target: Target, request: Request, /, *, is_same_origin: bool) -> Response:
        """Return the response."""


class Hop(NamedTuple):
    """The next request, and the origin that it is for."""

    target: Target
    request: Request
    is_same_origin: bool


def next_hop(target: Target, request: Request, response: Response) -> Hop | None:
    """Return what a response redirects to; None if it is no redirect.

    Raises:
        StepError: with the reason http_status, for an invalid URL or one without encryption.

    """
    location = response.headers.get("location")
    if response.status not in STATUSES or not location:
        return None
    escaped = quote(location.encode("latin-1"), safe=URL_CHARACTERS)
    try:
        url = urljoin(f"{target.url}{request.path}", escaped)
        found, path = parse_endpoint(url, "the Location of a redirect")
    except (ProbeError, ValueError) as error:
        raise StepError("http_status", f"status {response.status}: {error}") from error
    if target.secure and not found.secure:
        raise StepError("http_status", f"a redirect leads from https to {found.url}")
    is_same_origin = _origin(found) == _origin(target)
    following = _with_method(replace(request, path=path), response.status)
    return Hop(found, following if is_same_origin else _without_secrets(following), is_same_origin)


def follow(
    exchange: Exchange, target: Target, request: Request, limit: int, result: StepResult
) -> Response:
    """Send a request, follow its redirects, and add up the timings in ``result``.

    After a redirect to another origin, no request has credentials, not even one that leads back.

    Raises:
        StepError: there are more redirects than the limit, or one of them is invalid.

    """
    response, is_same_origin = exchange(target, request, is_same_origin=True), True
    for _ in range(limit):
        hop = next_hop(target, request, response)
        if hop is None:
            return response
        target, request = hop.target, hop.request
        is_same_origin = is_same_origin and hop.is_same_origin
        before = result.timings
        response = exchange(target, request, is_same_origin=is_same_origin)
        result.timings = before + result.timings
    if next_hop(target, request, response) is None:
        return response
    raise StepError("http_status", f"there are more than {limit} redirects")


def _with_method(request: Request, status: int) -> Request:
    """Return a request with the method that user agents choose, without a body for GET."""
    becomes_get = status == SEE_OTHER or (status not in KEEPS_METHOD and request.method == "POST")
    if not becomes_get or request.method in {"GET", "HEAD"}:
        return request
    headers = {
        name: value
        for name, value in request.headers.items()
        if not name.lower().startswith(CONTENT_HEADERS)
    }
    return Request("GET", request.path, headers)


def _without_secrets(request: Request) -> Request:
    """Return a request for another origin, which has its own host and gets no secrets."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if not (is_secret_name(name) or name.lower() == "host" or MASK.mask(value) != value)
    }
    return replace(request, headers=headers)


def _origin(target: Target) -> tuple[bool, str, int]:
    return target.secure, target.host.lower(), target.port
