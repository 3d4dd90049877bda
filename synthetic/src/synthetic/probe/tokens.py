"""OAuth 2 access tokens of a run: one for each token URL, client and set of scopes."""

import json
import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from synthetic.probe.credentials import Credentials, basic_authorization
from synthetic.probe.http import Request, Response
from synthetic.probe.masking import MASK
from synthetic.probe.request_builder import USER_AGENT
from synthetic.probe.results import Reason, StepError, public_error
from synthetic.probe.security import SecurityRequirement
from synthetic.probe.target import Target, parse_token_url

REJECTED_STATUSES = frozenset((400, 401, 403))
OK = 200
EXPIRY_MARGIN_SECONDS = 30.0  # a token with less time left counts as expired
CONTRACT_SCOPES = "contract"  # the credential `scope` for the scopes that an operation demands


class TokenGrant(NamedTuple):
    """The parameters of a token request; equal grants share a token."""

    target: Target  # the server that a relative URL belongs to
    url: str  # of the token endpoint, or of the discovery document
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    client_auth: str  # basic or body; empty for basic unless the discovery document excludes it


class _Token(NamedTuple):
    text: str
    expires_at: float  # on the monotonic clock


class TokenStore:
    """Requests for tokens by client credentials (RFC 6749, 4.4), and the tokens received."""

    def __init__(self) -> None:
        """Start without tokens."""
        self._tokens: dict[TokenGrant, _Token] = {}
        self._endpoints: dict[tuple[Target, str], tuple[str, str]] = {}

    def token(self, grant: TokenGrant) -> str:
        """Return a token that is not about to expire, or an empty text."""
        found = self._tokens.get(grant)
        return found.text if found and time.monotonic() < found.expires_at else ""

    def discovery_request(self, grant: TokenGrant, traceparent: str) -> tuple[Target, Request]:
        """Return the origin and the request of a discovery document (OpenID Connect Discovery)."""
        target, path = parse_token_url(grant.url, grant.target)
        return target, Request("GET", path, _headers(traceparent))

    def store_endpoint(self, grant: TokenGrant, response: Response) -> None:
        """Store the token endpoint of a discovery document.

        Raises:
            StepError: with the reason http_status or schema.

        """
        if response.status != OK:
            raise StepError(
                "http_status", f"the status of the discovery document is {response.status}"
            )
        document = _parse_object(response, "the discovery document is not a JSON object")
        endpoint = document.get("token_endpoint")
        if not isinstance(endpoint, str):
            raise public_error("schema", "the discovery document names no token_endpoint")
        methods = document.get("token_endpoint_auth_methods_supported")
        only_body = isinstance(methods, list) and "client_secret_basic" not in methods
        self._endpoints[grant.target, grant.url] = endpoint, "body" if only_body else "basic"

    def has_endpoint(self, grant: TokenGrant) -> bool:
        """Return whether a discovery document has been stored."""
        return (grant.target, grant.url) in self._endpoints

    def token_request(self, grant: TokenGrant, traceparent: str) -> tuple[Target, Request]:
        """Return the origin of the token URL, the only one for the secret, and the request.

        Raises:
            ProbeError: the token URL is invalid.

        """
        url, method = self._endpoints.get((grant.target, grant.url), (grant.url, "basic"))
        target, path = parse_token_url(url, grant.target)
        headers = {**_headers(traceparent), "Content-Type": "application/x-www-form-urlencoded"}
        form = {"grant_type": "client_credentials"}
        if grant.scopes:
            form["scope"] = " ".join(grant.scopes)
        if (grant.client_auth or method) == "body":
            form |= {"client_id": grant.client_id, "client_secret": grant.client_secret}
        else:
            # RFC 6749, 2.3.1: both are encoded as in a form
            pair = quote_plus(grant.client_id), quote_plus(grant.client_secret)
            headers["Authorization"] = basic_authorization(*pair)
        return target, Request("POST", path, headers, urlencode(form).encode())

    def store(self, grant: TokenGrant, response: Response) -> None:
        """Store the token of a token response.

        Raises:
            StepError: with the reason auth, http_status or schema.

        """
        if response.status != OK:
            reason: Reason = "auth" if response.status in REJECTED_STATUSES else "http_status"
            raise StepError(reason, f"the status of the token response is {response.status}")
        document = _parse_object(response, "the response contains no token")
        try:
            text = document["access_token"].encode("ascii").decode()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise public_error("schema", "the response contains no token") from error
        MASK.add(text)
        lifetime = _lifetime(document.get("expires_in"))
        expires_at = time.monotonic() + max(1.0, lifetime - EXPIRY_MARGIN_SECONDS)
        self._tokens[grant] = _Token(text, expires_at)


def grant_for(
    requirement: SecurityRequirement, credentials: Credentials, target: Target
) -> TokenGrant:
    """Return what to request the token of a requirement with."""
    scheme = requirement.scheme
    return TokenGrant(
        target,
        scheme.token_url or scheme.discovery_url,
        credentials.find(scheme, "client-id"),
        credentials.find(scheme, "client-secret"),
        _scopes(credentials.find(scheme, "scope"), requirement.scopes),
        credentials.find(scheme, "client-auth"),
    )


def _scopes(asked: str, demanded: Sequence[str]) -> tuple[str, ...]:
    """Return the scopes to ask for; none stands for all scopes of the client (RFC 6749, 3.3).

    That is the default, since a service may forward the token to others.
    """
    names = demanded if asked == CONTRACT_SCOPES else asked.split()
    return tuple(sorted(set(names)))


def _lifetime(expires_in: Any) -> float:  # noqa: ANN401 - any JSON
    """Return the seconds that a token lives; it is kept for the run if they are unknown.

    ``expires_in`` is only recommended (RFC 6749, 5.1), and some servers send null.
    """
    try:
        return float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return math.inf


def _headers(traceparent: str) -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Accept": "application/json", "traceparent": traceparent}


def _parse_object(response: Response, message: str) -> dict[str, Any]:
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise public_error("schema", message) from error
    if not isinstance(document, dict):
        raise public_error("schema", message)
    return document
