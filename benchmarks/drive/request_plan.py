"""The requests of the operations that are measured, as bytes on the wire."""

import itertools
import random
from collections.abc import Callable

from benchmarks.testbed import client_data

Plan = Callable[[], bytes]  # one more request at each call

OPERATIONS = ("fetch", "list", "create", "update")


def plan(operation: str, token: str, rows: int, page: int = 100) -> Plan:
    """Return the plan of an operation on a table that holds the people from 1 to ``rows``.

    ``page`` is the size of a list's page, and the product's id for `add`, which buys it.
    """
    choose = random.Random()  # noqa: S311 - spreads load, guards nothing
    if operation == "fetch":
        return lambda: _get(f"/clients/fetch/{choose.randint(1, rows)}", token)
    if operation == "list":
        last = max(1, rows - page)
        return lambda: _get(f"/clients/fetch?limit={page}&after={choose.randrange(last)}", token)
    if operation == "create":
        numbers = itertools.count(choose.randrange(client_data.FIRST_NEW, client_data.LAST_NEW))
        return lambda: _send("POST", "/clients/create", token, client_data.body(next(numbers)))
    if operation == "add":
        return lambda: _add(choose, token, rows, page)
    return lambda: _update(choose, token, rows)


def _update(choose: random.Random, token: str, rows: int) -> bytes:
    number = choose.randint(1, rows)
    person = client_data.body(number, f"{choose.randrange(100_000)}.25")
    return _send("PUT", f"/clients/update/{number}", token, person)


def _add(choose: random.Random, token: str, rows: int, product: int) -> bytes:
    bought = f'"client_id":{choose.randint(1, rows)},"product_id":{product},"number_of_items":1'
    body = f'{{{bought},"purchase_date":"2024-11-01T10:30:00"}}'.encode()
    return _send("POST", "/inventory/add_product", token, body)


def _get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\n{_headers(token)}\r\n".encode()


def _send(method: str, path: str, token: str, body: bytes) -> bytes:
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\n{_headers(token)}{kind}\r\n".encode() + body


def _headers(token: str) -> str:
    return f"Host: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n"
