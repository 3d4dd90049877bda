"""Inputs given on the command line, in a file and in the environment."""

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthetic.probe.inputs import check_values, input_names
from synthetic.probe.journey import Journey
from synthetic.probe.masking import MASK
from synthetic.probe.results import ProbeError
from synthetic.probe.yaml_values import read_yaml

ENVIRONMENT_PREFIX = "SYNTHETIC_INPUT_"
MAX_TEXTS = 100  # of one secret value: the mask forgets the oldest of its secrets


def parse_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Return the names and values of options such as ``--input NAME=VALUE``.

    Raises:
        ProbeError: one of them has no name or no value.

    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise ProbeError(f"{option} must be like NAME=VALUE")
        pairs[name] = value
    return pairs


def check_inputs(given: Iterable[str], schema: Mapping[str, Any]) -> None:
    """Raise ``ProbeError`` for an input that a workflow does not have, such as a typo."""
    names = input_names(schema)
    unknown = next((name for name in given if names is not None and name not in names), None)
    if unknown is not None:
        raise ProbeError(f"there is no input {unknown}; the inputs are {', '.join(names or ())}")


def check_given(schema: Mapping[str, Any], given: Sequence[str], *, required: bool) -> None:
    """Check inputs like ``NAME=VALUE``, or ``NAME`` for one whose value is unknown.

    Raises:
        ProbeError: one is unknown or violates its schema, or one that is ``required`` is missing.

    """
    texts = {name: (equals, text) for name, equals, text in (each.partition("=") for each in given)}
    check_inputs(texts, schema)
    properties = schema.get("properties") or {}
    values = {
        name: _parse(name, text, properties.get(name))
        for name, (equals, text) in texts.items()
        if equals
    }
    try:
        check_values({"properties": properties}, values)
    except ProbeError as error:
        raise ProbeError(f"--input {error}") from error
    for name in schema.get("required") or () if required else ():
        described = properties.get(name)
        has_value = isinstance(described, dict) and not {"x-generate", "default"}.isdisjoint(
            described
        )
        if name not in texts and not has_value:
            kinds = " or ".join(sorted(_kinds(described)))
            raise ProbeError(
                f"the required input {name} has no value: give it one of the type {kinds}"
            )


def check_sources(names: Iterable[str], journeys: Iterable[Journey]) -> None:
    """Raise ``ProbeError`` for a server of a source that no journey calls, such as a typo."""
    sources = [operation.source for journey in journeys for operation in journey.operations()]
    unknown = next((name for name in names if name not in sources), None)
    if unknown is not None:
        raise ProbeError(
            f"--server {unknown}: no step calls this source description; "
            f"the steps call {', '.join(dict.fromkeys(sources))}"
        )


def gather_inputs(
    schema: Mapping[str, Any],
    options: Mapping[str, str],
    file: Path | None,
    environment: Mapping[str, str] | None = None,
    elsewhere: Collection[str] = (),
    secrets: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the inputs from secrets, a file, the environment and options; the last one wins.

    Texts are parsed by the input's type. Those that only other journeys of the run have, which
    are named ``elsewhere``, are left out, and secrets that are no inputs.

    Raises:
        ProbeError: an input is unknown, or violates its schema.

    """
    environment = os.environ if environment is None else environment
    properties = schema.get("properties") or {}
    names = input_names(schema)
    values = {
        name: _parse(name, text, properties.get(name))
        for name, text in (secrets or {}).items()
        if names is None or name in names
    }
    for name, value in values.items():
        MASK.add(*_texts(name, value))
    values |= _read_file(file) if file else {}
    for name in properties:
        text = environment.get(ENVIRONMENT_PREFIX + re.sub(r"[^A-Za-z0-9]", "_", name).upper())
        if text is not None:
            values[name] = _parse(name, text, properties[name])
    for name, text in options.items():
        values[name] = _parse(name, text, properties.get(name))
    if names is not None:
        values = {n: value for n, value in values.items() if n in names or n not in elsewhere}
    check_inputs(values, schema)
    for name, value in values.items():
        described = properties.get(name)
        if isinstance(described, dict) and _is_secret(described):
            MASK.add(*_texts(name, value))
    if values:
        check_values({**schema, "required": []}, values)
    return values


def _read_file(file: Path) -> dict[str, Any]:
    document = read_yaml(file)
    if not isinstance(document, dict):
        raise ProbeError(f"--inputs: {file.name} must be an object with a member for each input")
    return {str(name): value for name, value in document.items()}


def _parse(name: str, text: str, described: Any) -> Any:  # noqa: ANN401 - any JSON
    kinds = _kinds(described)
    if kinds <= {"string"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        if "string" in kinds:
            return text
        raise ProbeError(
            f"--input {name}: the value must be JSON of the type {' or '.join(sorted(kinds))}"
        ) from None


def _kinds(described: Any) -> set[str]:  # noqa: ANN401 - any JSON
    """Return the types that a schema admits; a text without any."""
    kind = described.get("type", "string") if isinstance(described, dict) else "string"
    return {kind} if isinstance(kind, str) else set(kind)


def _texts(name: str, value: Any) -> list[str]:  # noqa: ANN401 - any JSON
    """Return the texts of a secret value, and its numbers as outputs write them."""
    texts, pending = [], [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict | list):
            pending += part.values() if isinstance(part, dict) else part
        elif isinstance(part, float) and part.is_integer():
            texts += [json.dumps(part), str(int(part))]
        elif not isinstance(part, bool) and part is not None:
            texts.append(part if isinstance(part, str) else json.dumps(part))
    if len(texts) > MAX_TEXTS:
        raise ProbeError(
            f"--input {name}: a secret value has {MAX_TEXTS} texts and numbers at most"
        )
    return texts


def _is_secret(described: Mapping[str, Any]) -> bool:
    return described.get("format") == "password" or described.get("writeOnly") is True
