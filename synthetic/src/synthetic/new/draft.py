"""A workflow while it is written: its steps, and the inputs that they need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthetic.new.contract import Endpoint, pointer
from synthetic.new.names import identifier, unique
from synthetic.probe.expressions import is_expression
from synthetic.probe.runtime_values import UNDEFINED, resolve_pointer

Key = tuple[str, ...]  # of an input: the noun of a resource, and names of members
_TYPES = frozenset(("string", "integer", "number", "boolean", "array", "object"))


class Reference(str):
    """A runtime expression of the written journey, and no text of the contract."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class OpenInput:
    """An input that the user has to give."""

    name: str
    reason: str


@dataclass(slots=True)
class Exchange:
    """A step with what it sends, to which links and later steps refer."""

    endpoint: Endpoint
    step: dict[str, Any]
    payload: Any
    parameters: Mapping[tuple[str, str], Any]

    def output(self, expression: str) -> str:
        """Return an expression for a part of the response, which becomes an output."""
        outputs: dict[str, str] = self.step.setdefault("outputs", {})
        for name, known in outputs.items():
            if known == expression:
                return Reference(f"$steps.{self.step['stepId']}.outputs.{name}")
        last = expression.replace("#", "/").rpartition("/")[2] or "body"
        name = unique(identifier(last.rpartition(".")[2] if "$" in last else last), outputs)
        outputs[name] = expression
        return Reference(f"$steps.{self.step['stepId']}.outputs.{name}")

    def value(self, expression: str) -> Any:  # noqa: ANN401 - any template
        """Return the value of a link's expression for later steps, or None if it has none."""
        if not expression.startswith("$request."):
            return self.output(expression)
        part, _, name = expression.removeprefix("$request.").partition(".")
        if part in {"path", "query", "header"}:
            return self.parameters.get((part, name))
        found = resolve_pointer(self.payload, expression.partition("#")[2])
        return None if found is UNDEFINED else found


@dataclass(slots=True)
class Draft:
    """The parts of a workflow."""

    workflow_id: str
    summary: str
    steps: list[dict[str, Any]] = field(default_factory=list)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    generators: dict[str, str] = field(default_factory=dict)
    open_inputs: list[OpenInput] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _names: dict[Key, str] = field(default_factory=dict)

    def input(self, key: Key, schema: Mapping[str, Any]) -> str:
        """Return the name of the input for a key: that of its member, or with its noun."""
        if key not in self._names:
            short, full = identifier(key[-1]), identifier("-".join((key[0], key[-1])))
            self._names[key] = unique(full if short in self.inputs else short, self.inputs)
            self.inputs[self._names[key]] = dict(schema)
        return self._names[key]

    def generated(self, key: Key, generator: str, kind: str = "string") -> str:
        """Return the expression for a generated input."""
        schema = {"type": kind, **({"format": "password"} if generator == "password" else {})}
        found = self.input(key, schema)
        self.generators[found] = generator
        return Reference(f"$inputs.{found}")

    def left_open(self, key: Key, types: list[str], reason: str) -> str:
        """Return the expression for an input that the user has to give."""
        known = [kind for kind in types if kind in _TYPES]
        found = self.input(key, {"type": known[0]} if known else {})
        if all(each.name != found for each in self.open_inputs):
            self.open_inputs.append(OpenInput(found, reason))
        return Reference(f"$inputs.{found}")

    def literal(self, key: Key, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return a value as it stands, but an input for a text that would be an expression."""
        if not isinstance(value, str) or not (is_expression(value) or "{$" in value):
            return value
        found = self.input(key, {"type": "string", "default": value})
        return Reference(f"$inputs.{found}")

    def step_id(self, name: str, suffix: str = "") -> str:
        """Return an id that no step has."""
        taken = {step["stepId"] for step in self.steps}
        taken |= {step["x-cleanup"]["stepId"] for step in self.steps if "x-cleanup" in step}
        return unique(f"{identifier(name)}{suffix}", taken)


def call(endpoint: Endpoint, *, by_id: bool) -> dict[str, str]:
    """Return the member of a step that names its operation."""
    name = endpoint.name
    if by_id and endpoint.has_operation_id and identifier(name) == name:
        return {"operationId": name}
    return {"operationPath": f"{{$sourceDescriptions.{endpoint.source}.url}}{pointer(endpoint)}"}


def success_condition(endpoint: Endpoint, *others: str) -> str:
    """Return the condition for the declared statuses of success, and ``others`` if declared."""
    statuses = [name for name in endpoint.successes if name.isdigit()]
    if not statuses:
        return "$statusCode >= 200 && $statusCode < 300"
    statuses += [name for name in others if endpoint.declares(name)]
    return " || ".join(f"$statusCode == {status}" for status in statuses)
