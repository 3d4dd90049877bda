"""What the inventory asks of the services that own clients and products: does this one exist?

The question goes out under the caller's own token. So the answer is that of the caller's realm,
and the inventory tells nobody of a client or a product whom they could not ask about themselves.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import current_app, request

from inventory.domain import raise_missing
from inventory.peers import Peer, Question, ask
from servicekit.http.access_log import REQUEST_ID
from servicekit.problems import Forbidden
from servicekit.telemetry import tracing

EXTENSION = "inventory.owners"
PASSED_ON = {  # where PEP 3333 has a header, and its name
    "HTTP_AUTHORIZATION": "Authorization",
    "HTTP_TRACEPARENT": "traceparent",
    "HTTP_TRACESTATE": "tracestate",
}

log = logging.getLogger(__name__)


class Owners:
    """The services that own clients and products."""

    def __init__(self, clients_url: str, products_url: str) -> None:
        """Find them at these base URLs."""
        self.clients = Peer("clients", clients_url)
        self.products = Peer("products", products_url)

    def product_name(self, client_id: int, product_id: int, headers: Mapping[str, str]) -> str:
        """Return what the product is called, once client and product are known to exist.

        Raises:
            NotFound: one of them does not exist; it names the field of each that does not.
            Forbidden: the caller may not know.
            Unavailable: an owner could not be asked.

        """
        client, product = self.client(client_id), self.product(product_id)
        with (
            self.clients.one_at_a_time_while_failing(),
            self.products.one_at_a_time_while_failing(),
        ):
            ask((client, product), headers)
        there = {"client": exists(client), "product": exists(product)}
        raise_missing(kind for kind, is_there in there.items() if not is_there)
        name: str = product.answer["product_name"]
        return name

    def client(self, client_id: int) -> Question:
        """Return the question whether a client exists."""
        return Question(self.clients, f"/clients/exists/{client_id}")

    def product(self, product_id: int) -> Question:
        """Return the question whether a product exists."""
        return Question(self.products, f"/products/exists/{product_id}")

    def start(self) -> None:
        """Do nothing: connections are made when there is a question."""

    def stop(self) -> None:
        """Close the connections."""
        self.clients.close()
        self.products.close()


def owners() -> Owners:
    """Return the owners that the service that answers the current request asks."""
    found: Owners = current_app.extensions[EXTENSION]
    return found


def passed_on() -> dict[str, str]:
    """Return the headers of the current request that go on with a question."""
    environ = request.environ
    headers = {name: environ[key] for key, name in PASSED_ON.items() if key in environ}
    return {"X-Request-ID": environ[REQUEST_ID], **headers, **tracing.trace_headers()}


def exists(question: Question) -> bool:
    """Return what an owner answered.

    Raises:
        Forbidden: the token that it was asked with does not allow the question.
        Unavailable: the answer is none that an owner gives.

    """
    if question.status == Forbidden.status:
        raise Forbidden(f"The token lacks the scope {question.peer.name}:read")
    answer = question.answer
    if question.status == HTTPStatus.OK and isinstance(answer, dict):
        status = answer.get("status")
        if isinstance(status, bool):
            return status
    log.error("%s answered %s, and not whether it exists", question.peer.name, question.status)
    raise question.peer.unavailable()
