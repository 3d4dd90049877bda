"""Existence checks in the services that own clients and products.

The checks carry the token of the caller. The result is therefore limited to the caller's realm,
and discloses nothing that the caller could not read.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import current_app, request

from inventory.domain import raise_missing
from inventory.service_client import PendingCall, ServiceClient, call_all
from servicekit.http.access_log import REQUEST_ID
from servicekit.problems import Forbidden
from servicekit.telemetry import tracing

EXTENSION = "inventory.owner_services"
FORWARDED_HEADERS = {  # by their keys in the WSGI environment (PEP 3333)
    "HTTP_AUTHORIZATION": "Authorization",
    "HTTP_TRACEPARENT": "traceparent",
    "HTTP_TRACESTATE": "tracestate",
}

log = logging.getLogger(__name__)


class OwnerServices:
    """The services that own clients and products."""

    def __init__(self, clients_url: str, products_url: str) -> None:
        """Call the services at these base URLs."""
        self.clients = ServiceClient("clients", clients_url)
        self.products = ServiceClient("products", products_url)

    def require_client_and_product(
        self, client_id: int, product_id: int, headers: Mapping[str, str]
    ) -> str:
        """Return the name of a product, after checking that client and product exist.

        Raises:
            NotFound: one of them does not exist; the problem names each such field.
            Forbidden: the caller lacks a scope.
            Unavailable: a service returned no valid response.

        """
        client, product = self.client_call(client_id), self.product_call(product_id)
        with self.clients.circuit_breaker(), self.products.circuit_breaker():
            call_all((client, product), headers)
        found = {"client": exists(client), "product": exists(product)}
        raise_missing(kind for kind, is_found in found.items() if not is_found)
        name: str = product.body["product_name"]
        return name

    def client_call(self, client_id: int) -> PendingCall:
        """Return a call that checks the existence of a client."""
        return PendingCall(self.clients, f"/clients/exists/{client_id}")

    def product_call(self, product_id: int) -> PendingCall:
        """Return a call that checks the existence of a product."""
        return PendingCall(self.products, f"/products/exists/{product_id}")

    def start(self) -> None:
        """Do nothing: connections are opened by the first calls."""

    def stop(self) -> None:
        """Close the connections."""
        self.clients.close()
        self.products.close()


def owner_services() -> OwnerServices:
    """Return the owner services of the current application."""
    services: OwnerServices = current_app.extensions[EXTENSION]
    return services


def forwarded_headers() -> dict[str, str]:
    """Return the headers of the current request that its calls carry too."""
    environ = request.environ
    headers = {name: environ[key] for key, name in FORWARDED_HEADERS.items() if key in environ}
    return {"X-Request-ID": environ[REQUEST_ID], **headers, **tracing.trace_headers()}


def exists(call: PendingCall) -> bool:
    """Return the result of an existence check.

    Raises:
        Forbidden: the token lacks the scope of the check.
        Unavailable: the response does not match the contract.

    """
    if call.status == Forbidden.status:
        raise Forbidden(f"The token lacks the scope {call.client.name}:read")
    body = call.body
    if call.status == HTTPStatus.OK and isinstance(body, dict):
        status = body.get("status")
        if isinstance(status, bool):
            return status
    log.error("unexpected response of %s with status %s", call.client.name, call.status)
    raise call.client.unavailable()
