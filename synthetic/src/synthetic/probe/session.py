"""Connections and credentials of one run, and the requests sent with them."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from synthetic.probe.allowed_hosts import AllowedHosts, is_allowed
from synthetic.probe.authenticator import Authenticator
from synthetic.probe.credentials import Credentials
from synthetic.probe.deadline import Deadline
from synthetic.probe.http import HttpClient, Request, Response
from synthetic.probe.journey import Journey
from synthetic.probe.operation import Operation
from synthetic.probe.results import ProbeError, StepError, StepResult
from synthetic.probe.servers import Servers
from synthetic.probe.target import Target

if TYPE_CHECKING:
    from synthetic.probe.exchanges import ExchangeLog

Connection = tuple[Target, tuple[str, str] | None]  # a server, and the client's certificate


class Session:
    """Sends the requests of one run, with its trace and its credentials."""

    def __init__(
        self,
        journey: Journey,
        servers: Servers,
        credentials: Credentials | None,
        trace_id: str,
        recorder: "ExchangeLog | None" = None,
        input_hosts: AllowedHosts = None,
    ) -> None:
        """Prepare the session without connecting; ``recorder`` gets every exchange.

        Raises:
            ProbeError: an operation has no server, or one that is not among ``input_hosts``, or
                the journey needs a token, and there are no credentials.

        """
        self._input_hosts = input_hosts
        self._servers = servers
        self._authenticator = Authenticator(credentials)
        self._clients: dict[Connection, HttpClient] = {}
        self._trace_id = trace_id
        self._recorder = recorder
        for operation in journey.operations():
            self._prepare(journey, operation)

    def _prepare(self, journey: Journey, operation: Operation) -> None:
        """Raise ``ProbeError`` for what would fail before the first request."""
        target = self._servers.target(operation)
        if self._authenticator.is_missing_client(operation):
            raise ProbeError(
                f"{journey.name} needs a token: name a folder with the files client-id and "
                "client-secret with --credentials"
            )
        self._authenticator.check_certificate(operation)
        self._authenticator.check_hosts(operation, target)
        if not is_allowed(target.host, self._input_hosts):
            raise ProbeError(
                f"the secret inputs may not be sent to {target.host}: the Secret's annotation "
                "monitoring.cadastro.dev/input-hosts does not list it"
            )

    def needs_token(self, operation: Operation) -> bool:
        """Return whether a token has to be requested before a request for ``operation``."""
        return bool(self._authenticator.grants(operation, self._servers.target(operation)))

    def get_token(self, operation: Operation, result: StepResult, deadline: Deadline) -> None:
        """Request the tokens that ``operation`` needs.

        Raises:
            StepError: no token was received.

        """
        tokens = self._authenticator.tokens
        for grant in self._authenticator.grants(operation, self._servers.target(operation)):
            if self._authenticator.needs_discovery(operation, grant):
                target, request = tokens.discovery_request(grant, self._traceparent())
                response = self._exchange((target, None), request, deadline, result)
                tokens.store_endpoint(grant, response)
            try:
                target, request = tokens.token_request(grant, self._traceparent())
            except ProbeError as error:
                raise StepError("schema", str(error)) from error
            self._check_host(target)
            tokens.store(grant, self._exchange((target, None), request, deadline, result))

    def _check_host(self, target: Target) -> None:
        """Check the host of a token endpoint, which may have been discovered."""
        try:
            self._authenticator.check_host(target.host)
        except ProbeError as error:
            raise StepError("auth", str(error)) from error

    def send(
        self, operation: Operation, request: Request, deadline: Deadline, result: StepResult
    ) -> Response:
        """Send a request for ``operation``, and count it in ``result``.

        Raises:
            StepError: no complete response was received.

        """
        target = self._servers.target(operation)
        headers = {**request.headers, "traceparent": self._traceparent()}
        request = replace(request, headers=headers)
        request = self._authenticator.authenticate(operation, request, target)
        certificate = self._authenticator.certificate(operation)
        return self._exchange((target, certificate), request, deadline, result)

    def url(self, operation: Operation, request: Request) -> str:
        """Return the complete URL of a request."""
        return f"{self._servers.target(operation).url}{request.path}"

    @property
    def certificate_expiry(self) -> str:
        """The earliest end of the servers' certificates, or an empty text without TLS."""
        ends = (client.certificate_expiry for client in self._clients.values())
        return min(filter(None, ends), default="")

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _exchange(
        self, connection: Connection, request: Request, deadline: Deadline, result: StepResult
    ) -> Response:
        if connection not in self._clients:
            target, certificate = connection
            self._clients[connection] = HttpClient(target, certificate=certificate)
        client = self._clients[connection]
        result.request_count += 1
        result.status = 0
        response: Response | None = None
        try:
            response = client.send(request, deadline)
        finally:
            result.timings = client.timings
            if self._recorder is not None:
                url = f"{connection[0].url}{request.path}"
                self._recorder.record(result, url, request, response, client.timings)
        result.status = response.status
        return response

    def _traceparent(self) -> str:
        return f"00-{self._trace_id}-{os.urandom(8).hex()}-01"
