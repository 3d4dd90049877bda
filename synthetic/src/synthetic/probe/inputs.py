"""Inputs of a journey, generated for each run so that runs do not collide."""

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from synthetic.probe.results import ProbeError


def _cpf(_: Mapping[str, Any]) -> str:
    from validate_docbr import CPF  # noqa: PLC0415 - few journeys need one

    return str(CPF().generate(mask=True))


def _basic(values: Mapping[str, Any]) -> str:
    """Return the credentials of HTTP Basic (RFC 7617), without the scheme."""
    return base64.b64encode(f"{values['username']}:{values['password']}".encode()).decode()


GENERATORS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "cpf": _cpf,
    "email": lambda _: f"probe-{secrets.token_hex(8)}@example.invalid",
    "name": lambda _: f"Probe {secrets.token_hex(8)}",
    "username": lambda _: f"probe-{secrets.token_hex(8)}",
    "password": lambda _: secrets.token_urlsafe(16),
    "basic": _basic,
}


def check_inputs(schema: Mapping[str, Any]) -> None:
    """Check that each input has a default, or a generator under `x-generate`.

    Raises:
        ProbeError: an input has neither, or its generator is unknown.

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
    values: dict[str, Any] = {}
    # last: the input that is generated from others
    for name, described in sorted(
        properties.items(), key=lambda item: item[1].get("x-generate") == "basic"
    ):
        generator = described.get("x-generate")
        values[name] = GENERATORS[generator](values) if generator else described["default"]
    return values
