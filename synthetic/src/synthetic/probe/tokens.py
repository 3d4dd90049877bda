"""The OAuth 2 access token of a run."""

import json
import math
import time
from urllib.parse import urlencode

from synthetic.probe.credentials import Credentials
from synthetic.probe.http import Request, Response
from synthetic.probe.journey import Journey
from synthetic.probe.request_builder import USER_AGENT
from synthetic.probe.results import ProbeError, Reason, StepError
from synthetic.probe.target import Target, parse_token_url

REJECTED_STATUSES = frozenset((400, 401, 403))
OK = 200
EXPIRY_MARGIN_SECONDS = 30.0  # a token with less time left counts as expired


class TokenProvider:
    """Requests a token by client credentials (RFC 6749, 4.4), and caches it until it expires."""

    def __init__(self, journey: Journey, credentials: Credentials | None, target: Target) -> None:
        """Use ``credentials`` for the operations of ``journey``.

        Raises:
            ProbeError: a tokenUrl is invalid or at a host that may not receive the credentials, or
                the credentials for a token are missing.

        """
        urls = {operation.token_url for operation in journey.operations()} - {""}
        self._endpoints = {url: parse_token_url(url, target) for url in urls}
        if credentials is None and urls:
            raise ProbeError(
                f"{journey.name} needs a token: name a folder with the files client-id and "
                "client-secret with --credentials"
            )
        for endpoint, _ in self._endpoints.values():
            if credentials and not credentials.allows(endpoint.host):
                raise ProbeError(
                    f"the credentials may not be sent to {endpoint.host}: the Secret's annotation "
                    "monitoring.cadastro.dev/hosts does not list it"
                )
        self._authorization = credentials.authorization_header() if credentials else ""
        self._expires_at = 0.0
        self.token = ""

    @property
    def is_valid(self) -> bool:
        """True if a token is present and not about to expire."""
        return time.monotonic() < self._expires_at

    def request(self, url: str, traceparent: str) -> tuple[Target, Request]:
        """Return the origin of a tokenUrl, the only one for the credentials, and the request."""
        target, path = self._endpoints[url]
        headers = {
            "User-Agent": USER_AGENT,
            "traceparent": traceparent,
            "Authorization": self._authorization,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        # without `scope` the token has all scopes: the inventory forwards it to other services
        form = {"grant_type": "client_credentials"}
        return target, Request("POST", path, headers, urlencode(form).encode())

    def store(self, response: Response) -> None:
        """Store the token of a token response.

        Raises:
            StepError: with the reason auth, http_status or schema.

        """
        if response.status != OK:
            reason: Reason = "auth" if response.status in REJECTED_STATUSES else "http_status"
            raise StepError(reason, f"the status of the token response is {response.status}")
        try:
            document = json.loads(response.body)
            self.token = document["access_token"].encode("ascii").decode()
            # expires_in is only recommended (RFC 6749, 5.1): without it, keep the token for the run
            lifetime = float(document.get("expires_in", math.inf))
            self._expires_at = time.monotonic() + max(lifetime - EXPIRY_MARGIN_SECONDS, 1.0)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StepError("schema", "the response contains no token") from error
