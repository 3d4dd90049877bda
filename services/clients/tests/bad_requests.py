"""What the contract of clients lets nobody do: for each operation, each way in which it is wrong.

Most of it follows from the contract: whatever it requires is left out, whatever it limits is
exceeded. So a new operation or a new limit has its bad requests without a line here.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from people import a_client, an_address
from servicekit.contract import load_contract, operations
from servicekit.testing import CONTRACTS

CONTRACT = load_contract(CONTRACTS / "clients.yaml")
JSON = {"Content-Type": "application/json"}
NOBODY = 2**62
KEY = "a-key-that-was-used"
RUNNING = "a-key-whose-request-still-runs"

Callers = Mapping[str, str]  # tokens by who holds them
Authorize = Callable[[Callers], str | None]  # the header of a caller


@dataclass(frozen=True)
class World:
    """Rows that are there before, for the bad requests to bounce off."""

    client: int
    address: int
    mine: Mapping[str, Any]  # that client's body
    other: Mapping[str, Any]  # another client's body


@dataclass(frozen=True, eq=False)
class Bad:
    """A request that must be refused, and with which status."""

    operation: str
    wrong: str
    status: int
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    authorize: Authorize = lambda callers: f"Bearer {callers['user']}"


def resolved(node: Any) -> Any:
    """Return what a node of the contract is, or refers to."""
    while isinstance(node, dict) and "$ref" in node:
        reference, node = node["$ref"], CONTRACT
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    return node


def declared() -> set[tuple[str, int]]:
    """Return each operation's refusals: its 4xx."""
    return {
        (operation["operationId"], int(status))
        for _, _, operation in operations(CONTRACT)
        for status in operation["responses"]
        if status.startswith("4")
    }


def bad_requests(world: World) -> Iterator[Bad]:
    """Yield each bad request of each operation."""
    for path, method, operation in operations(CONTRACT):
        identifiers = {"client_id": world.client, "address_id": world.address}
        good = Bad(operation["operationId"], "", 0, method.upper(), path.format(**identifiers))
        if operation["security"]:
            yield from _callers(good)
        parameters = [resolved(parameter) for parameter in operation.get("parameters", [])]
        content = resolved(operation.get("requestBody", {})).get("content", {})
        if content:
            schema = resolved(content["application/json"]["schema"])
            good = replace(good, body=_json(_a_body(schema, world)), headers=JSON)
            yield from _bodies(good, schema, _a_body(schema, world))
        yield from _parameters(good, path, parameters, identifiers)
    yield from _conflicts(world)


def _callers(good: Bad) -> Iterator[Bad]:
    nobody: dict[str, Authorize] = {
        "no token": lambda _: None,
        "another scheme": lambda callers: f"Basic {callers['user']}",
        "nonsense": lambda _: "Bearer nonsense",
        "a forged token": lambda callers: f"Bearer {forged(callers['user'])}",
        "an expired token": lambda callers: f"Bearer {callers['expired']}",
    }
    for wrong, authorize in nobody.items():
        yield replace(good, wrong=wrong, status=401, authorize=authorize)
    who = "reader" if good.method != "GET" else "writer"
    yield replace(
        good, wrong="no scope", status=403, authorize=lambda callers: f"Bearer {callers[who]}"
    )


def forged(token: str) -> str:
    """Return a token whose signature is another one."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


def _parameters(
    good: Bad, path: str, parameters: list[dict[str, Any]], identifiers: Mapping[str, int]
) -> Iterator[Bad]:
    if parameters:
        yield replace(good, wrong="an unknown parameter", status=400, path=f"{good.path}?unknown=1")
    for parameter in parameters:
        name, place, schema = parameter["name"], parameter["in"], resolved(parameter["schema"])
        for value in _wrong_texts(schema):
            bad = replace(good, wrong=f"{name} is {value[:20]!r}", status=400)
            if place == "path":
                yield replace(bad, path=path.format(**{**identifiers, name: value}))
            elif place == "query":
                yield replace(bad, path=f"{good.path}?{name}={value}")
            else:
                yield replace(bad, headers={**good.headers, name: value})
        if place == "query":
            twice = f"{good.path}?{name}={schema['example']}&{name}={schema['example']}"
            yield replace(good, wrong=f"{name} is given twice", status=400, path=twice)


def _wrong_texts(schema: Mapping[str, Any]) -> Iterator[str]:
    if schema["type"] == "integer":
        yield from ("ten", "1.5", str(schema["minimum"] - 1), str(schema["maximum"] + 1))
        return
    yield "x" * (schema["maxLength"] + 1)
    if not re.search(schema["pattern"], "!"):
        yield "!"


def _bodies(good: Bad, schema: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Bad]:
    wrongs: dict[str, bytes] = {
        "malformed JSON": b'{"name": ',
        "not UTF-8": b'{"name": "\xff"}',
        "too deep": b"[" * 30_000,
        "an endless number": b'{"name": ' + b"9" * 5000 + b"}",
        "NaN": b'{"name": NaN}',
        "an array": b"[]",
        "nothing": b"",
        "a member twice": _json(body).replace(b"{", b'{"name": "A", "name": "B", ', 1),
        "an unknown member": _json({**body, "unknown": 1}),
    }
    for name in schema["required"]:
        wrongs[f"no {name}"] = _json({key: body[key] for key in body if key != name})
    for name in body:
        for value in _wrong_values(resolved(schema["properties"][name])):
            wrongs[f"{name} is {str(value)[:20]!r}"] = _json({**body, name: value})
    for wrong, content in wrongs.items():
        yield replace(good, wrong=wrong, status=400, body=content)
    yield replace(good, wrong="too large", status=413, body=_json({**body, "x": "x" * 70_000}))
    yield replace(good, wrong="a text", status=415, headers={"Content-Type": "text/plain"})


def _wrong_values(schema: Mapping[str, Any]) -> Iterator[Any]:
    yield from ([], None, True, "")
    for alternative in map(resolved, schema.get("anyOf", [schema])):
        if "maxLength" in alternative:
            yield "x" * (alternative["maxLength"] + 1)
        if "minimum" in alternative:
            yield alternative["minimum"] - 1
        if "maximum" in alternative:
            yield alternative["maximum"] + 1
        if alternative["type"] == "integer":
            yield 1.5


def _conflicts(world: World) -> Iterator[Bad]:
    """Yield what no schema tells: what is not there, or is another's, or was done already."""
    nobody, yours = f"{NOBODY}", {name: world.other[name] for name in ("email", "cpf")}
    client, address = a_client(), an_address(client_id=world.client, number=101)  # as nobody's yet
    create = Bad("clients.create", "", 0, "POST", "/clients/create", _json(client), JSON)
    update = replace(
        create, operation="clients.update", method="PUT", path=f"/clients/update/{world.client}"
    )
    for name, taken in yours.items():
        for good in (create, update):
            body = _json({**client, name: taken})
            yield replace(good, wrong=f"another's {name}", status=409, body=body)
    for changes in ({"cpf": "529.982.247-26"}, {"cpf": "111.111.111-11"}, {"email": "a@b@c.org"}):
        for good in (create, update):
            yield replace(good, wrong=f"{changes}", status=400, body=_json({**client, **changes}))
    add = Bad("addresses.create", "", 0, "POST", "/address/create", _json(address), JSON)
    change = replace(
        add, operation="addresses.update", method="PUT", path=f"/address/update/{world.address}"
    )
    for good in (create, add):
        headers = {**JSON, "Idempotency-Key": KEY}
        yield replace(good, wrong="a key that was used", status=422, headers=headers)
    headers = {**JSON, "Idempotency-Key": RUNNING}
    yield replace(add, wrong="a key that is in use", status=409, headers=headers)
    for good in (update, change):
        headers = {**JSON, "If-Match": '"9999"'}
        yield replace(good, wrong="another version", status=412, headers=headers)
        gone = good.path.rpartition("/")[0]
        yield replace(good, wrong="nobody", status=404, path=f"{gone}/{nobody}")
    orphan = _json({**address, "client_id": NOBODY})
    yield replace(add, wrong="nobody's", status=404, body=orphan)
    yield Bad("clients.fetch", "nobody", 404, "GET", f"/clients/fetch/{nobody}")
    yield Bad("clients.delete", "nobody", 404, "DELETE", f"/clients/delete/{nobody}")
    yield Bad("addresses.delete", "nobody", 404, "DELETE", f"/address/delete/{nobody}")


def _a_body(schema: Mapping[str, Any], world: World) -> dict[str, Any]:
    of_client = "email" in schema["properties"]
    body: dict[str, Any] = a_client() if of_client else an_address(client_id=world.client)
    return body


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
