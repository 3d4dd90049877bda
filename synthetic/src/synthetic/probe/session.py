"""Connections and access token of one run, and the requests sent with them."""

import secrets
from dataclasses import replace

from synthetic.probe.credentials import Credentials
from synthetic.probe.deadline import Deadline
from synthetic.probe.http import HttpClient, Request, Response
from synthetic.probe.journey import Journey
from synthetic.probe.operation import Operation
from synthetic.probe.results import StepResult
from synthetic.probe.target import Target
from synthetic.probe.tokens import TokenProvider


class Session:
    """Sends the requests of one run, with its trace and its token."""

    def __init__(
        self, journey: Journey, target: Target, credentials: Credentials | None, trace_id: str
    ) -> None:
        """Prepare the session without connecting.

        Raises:
            ProbeError: the journey needs a token, and there are no credentials.

        """
        self._token_provider = TokenProvider(journey, credentials, target)
        self._target = target
        self._clients = {target: HttpClient(target)}  # a token may come from another origin
        self._trace_id = trace_id

    def needs_token(self, operation: Operation) -> bool:
        """Return whether a token has to be requested before a request for ``operation``."""
        return bool(operation.token_url) and not self._token_provider.is_valid

    def get_token(self, operation: Operation, result: StepResult, deadline: Deadline) -> None:
        """Request the token that ``operation`` needs.

        Raises:
            StepError: no token was received.

        """
        target, request = self._token_provider.request(operation.token_url, self._traceparent())
        self._token_provider.store(self._exchange(target, request, deadline, result))

    def send(
        self, operation: Operation, request: Request, deadline: Deadline, result: StepResult
    ) -> Response:
        """Send a request for ``operation``, and count it in ``result``.

        Raises:
            StepError: no complete response was received.

        """
        headers = {**request.headers, "traceparent": self._traceparent()}
        has_authorization = any(name.lower() == "authorization" for name in headers)
        if operation.token_url and not has_authorization:
            headers["Authorization"] = f"Bearer {self._token_provider.token}"
        return self._exchange(self._target, replace(request, headers=headers), deadline, result)

    def url(self, request: Request) -> str:
        """Return the complete URL of a request."""
        return f"{self._target.url}{request.path}"

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _exchange(
        self, target: Target, request: Request, deadline: Deadline, result: StepResult
    ) -> Response:
        client = self._clients.setdefault(target, HttpClient(target))
        result.request_count += 1
        result.status = 0
        try:
            response = client.send(request, deadline)
        finally:
            result.timings = client.timings
        result.status = response.status
        return response

    def _traceparent(self) -> str:
        return f"00-{self._trace_id}-{secrets.token_hex(8)}-01"
