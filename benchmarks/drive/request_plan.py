"""HTTP requests of the measured operations, as bytes."""

import itertools
import random
from collections.abc import Callable

from benchmarks.testbed import client_data

RequestFactory = Callable[[], bytes]  # returns the next request

OPERATIONS = ("fetch", "list", "create", "update")


def request_factory(operation: str, token: str, rows: int, page: int = 100) -> RequestFactory:
    """Return the requests of an operation, for a table of the clients from 1 to ``rows``.

    ``page`` is the page size of `list`, and the product's id of `add`.
    """
    choose = random.Random()  # noqa: S311 - spreads load, guards nothing
    if operation == "fetch":
        return lambda: _get(f"/clients/fetch/{choose.randint(1, rows)}", token)
    if operation == "list":
        last = max(1, rows - page)
        return lambda: _get(f"/clients/fetch?limit={page}&after={choose.randrange(last)}", token)
    if operation == "create":
        first = choose.randrange(client_data.FIRST_NEW, client_data.LAST_NEW)
        numbers = itertools.count(first)
        return lambda: _send("POST", "/clients/create", token, client_data.body(next(numbers)))
    if operation == "add":
        return lambda: _add(choose, token, rows, page)
    return lambda: _update(choose, token, rows)


def _update(choose: random.Random, token: str, rows: int) -> bytes:
    number = choose.randint(1, rows)
    body = client_data.body(number, f"{choose.randrange(100_000)}.25")
    return _send("PUT", f"/clients/update/{number}", token, body)


def _add(choose: random.Random, token: str, rows: int, product: int) -> bytes:
    fields = f'"client_id":{choose.randint(1, rows)},"product_id":{product},"number_of_items":1'
    body = f'{{{fields},"purchase_date":"2024-11-01T10:30:00"}}'.encode()
    return _send("POST", "/inventory/add_product", token, body)


def _get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\n{_headers(token)}\r\n".encode()


def _send(method: str, path: str, token: str, body: bytes) -> bytes:
    content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\n{_headers(token)}{content}\r\n".encode() + body


def _headers(token: str) -> str:
    return f"Host: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n"
