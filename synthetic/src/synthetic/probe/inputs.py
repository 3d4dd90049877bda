"""Inputs made anew for each run, so that no two runs meet."""

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from synthetic.probe.results import ProbeError


def _cpf(_: Mapping[str, Any]) -> str:
    from validate_docbr import CPF  # noqa: PLC0415 - few journeys need one

    return str(CPF().generate(mask=True))


def _basic(made: Mapping[str, Any]) -> str:
    """Return user name and password as HTTP Basic has them (RFC 7617), without the scheme."""
    return base64.b64encode(f"{made['username']}:{made['password']}".encode()).decode()


GENERATORS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "cpf": _cpf,
    "email": lambda _: f"probe-{secrets.token_hex(8)}@example.invalid",
    "name": lambda _: f"Probe {secrets.token_hex(8)}",
    "username": lambda _: f"probe-{secrets.token_hex(8)}",
    "password": lambda _: secrets.token_urlsafe(16),
    "basic": _basic,
}


def check_inputs(schema: Mapping[str, Any]) -> None:
    """Make sure that each input has a value: a default, or a generator under `x-generate`.

    Raises:
        UsageError: one has none.

    """
    properties = schema.get("properties", {})
    for name, described in properties.items():
        generator = described.get("x-generate")
        if generator is None and "default" not in described:
            raise ProbeError(
                f"the input {name} needs a default, or x-generate: {' '.join(GENERATORS)}"
            )
        if generator is not None and generator not in GENERATORS:
            raise ProbeError(f"the input {name}: x-generate is one of {' '.join(GENERATORS)}")
        if generator == "basic" and not {"username", "password"} <= properties.keys():
            raise ProbeError(
                f"the input {name}: x-generate: basic needs the inputs username and password"
            )


def generate_inputs(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each input."""
    properties = schema.get("properties", {})
    made: dict[str, Any] = {}
    # the one that is made of others comes last
    for name, described in sorted(
        properties.items(), key=lambda item: item[1].get("x-generate") == "basic"
    ):
        generator = described.get("x-generate")
        made[name] = GENERATORS[generator](made) if generator else described["default"]
    return made
