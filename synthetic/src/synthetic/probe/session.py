"""Connections and credentials of one run, and the requests sent with them."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from synthetic.probe.allowed_hosts import AllowedHosts, is_allowed
from synthetic.probe.authenticator import Authenticator, without_api_keys
from synthetic.probe.credentials import Credentials
from synthetic.probe.deadline import Deadline
from synthetic.probe.http import HttpClient, Request, Response
from synthetic.probe.journey import Journey, Step
from synthetic.probe.operation import Operation
from synthetic.probe.results import ProbeError, StepError, StepResult
from synthetic.probe.servers import Servers
from synthetic.probe.target import Target, host_of
from synthetic.probe.transport import DIRECT, Transport

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
        transport: Transport = DIRECT,
    ) -> None:
        """Prepare the session without connecting; ``recorder`` gets every exchange.

        Raises:
            ProbeError: an operation has no server, or one that is not among ``input_hosts``, or
                the journey needs a token, and there are no credentials.

        """
        self._input_hosts = input_hosts
        self._transport = transport
        self._servers = servers
        self._authenticator = Authenticator(credentials)
        self._clients: dict[Connection, HttpClient] = {}
        self._trace_id = trace_id
        self._recorder = recorder
        self._left_for = ""  # the other host that the last request was redirected to
        if transport.proxy is not None:  # it reads plain requests
            self._authenticator.check_host(transport.proxy.host)
            self._check_input_host(transport.proxy.host)
        for step in journey.calls():
            self._prepare(journey, step)

    def _prepare(self, journey: Journey, step: Step) -> None:
        """Raise ``ProbeError`` for what would fail before the first request."""
        operation = step.operation
        target = self._servers.target(operation)
        if self._authenticator.is_missing_client(operation):
            raise ProbeError(
                f"{journey.name} needs a token: name a folder with the files client-id and "
                f"client-secret with --credentials; {self._authenticator.missing(operation)}"
            )
        given = {(each.location, each.name.lower()) for each in step.parameters}
        self._authenticator.check_folder(operation, given)
        self._authenticator.check_certificate(operation)
        self._authenticator.check_hosts(operation, target)
        self._check_input_host(target.host)
        self._check_certificate_host(target.host)

    def _check_certificate_host(self, host: str) -> None:
        if not is_allowed(host, self._transport.certificate_hosts):
            raise ProbeError(
                f"the client's certificate may not be used for {host}: the Secret's "
                "annotation monitoring.cadastro.dev/hosts does not list it"
            )

    def _check_input_host(self, host: str) -> None:
        if not is_allowed(host, self._input_hosts):
            raise ProbeError(
                f"the secret inputs may not be sent to {host}: the Secret's annotation "
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
                response = self._exchange(self._connection(target), request, deadline, result)
                tokens.store_endpoint(grant, response)
            try:
                target, request = tokens.token_request(grant, self._traceparent())
            except ProbeError as error:
                raise StepError("schema", str(error)) from error
            self._check_host(target)
            response = self._exchange(self._connection(target), request, deadline, result)
            tokens.store(grant, response)

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
        self._check_host_header(request)

        self._left_for = ""

        def exchange(place: Target, each: Request, *, is_same_origin: bool) -> Response:
            if not is_same_origin:  # no credentials
                self._left_for = place.host
                self._check_redirect(place)
                each = without_api_keys(operation, each)
                return self._exchange((place, None), each, deadline, result)
            each = self._authenticator.authenticate(operation, each, target)
            certificate = self._authenticator.certificate(operation)
            connection = (place, certificate) if certificate else self._connection(place)
            return self._exchange(connection, each, deadline, result)

        if not self._transport.max_redirects:
            return exchange(target, request, is_same_origin=True)
        from synthetic.probe.redirects import follow  # noqa: PLC0415 - most runs need none

        return follow(exchange, target, request, self._transport.max_redirects, result)

    def _check_host_header(self, request: Request) -> None:
        """Check the host that a journey's own header names: a shared ingress routes by it.

        Raises:
            StepError: with the reason runner, if it may not have the secrets.

        """
        for name, value in request.headers.items():
            if name.lower() == "host":
                host = host_of(value)
                try:
                    self._authenticator.check_host(host)
                    self._check_input_host(host)
                    self._check_certificate_host(host)
                except ProbeError as error:
                    raise StepError("runner", f"the header {name}: {error}") from error

    def _check_redirect(self, target: Target) -> None:
        try:
            self._check_input_host(target.host)
        except ProbeError as error:
            raise StepError("auth", str(error)) from error

    def _connection(self, target: Target) -> Connection:
        """Return the connection to a server, with the certificate that it may get."""
        is_bound = is_allowed(target.host, self._transport.certificate_hosts)
        return target, self._transport.certificate if is_bound else None

    def url(self, operation: Operation, request: Request) -> str:
        """Return the complete URL of a request."""
        return f"{self._servers.target(operation).url}{request.path}"

    def describe_credentials(self, operation: Operation, request: Request) -> str:
        """Return what the last request for ``operation`` was authenticated with, or why not."""
        if self._left_for:
            return f"a redirect led to {self._left_for}, which gets no credentials"
        return self._authenticator.describe(operation, request)

    @property
    def certificate_expiry(self) -> str:
        """The earliest end of the servers' certificates, or an empty text without TLS."""
        ends = (client.certificate_expiry for client in self._clients.values())
        return min(filter(None, ends), default="")

    @property
    def has_connected(self) -> bool:
        """True if a server or a proxy has accepted a connection."""
        return any(client.has_connected for client in self._clients.values())

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _exchange(
        self, connection: Connection, request: Request, deadline: Deadline, result: StepResult
    ) -> Response:
        if connection not in self._clients:
            target, certificate = connection
            self._clients[connection] = HttpClient(
                target, certificate=certificate, proxy=self._transport.proxy
            )
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
