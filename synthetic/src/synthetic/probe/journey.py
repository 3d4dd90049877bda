"""Domain objects of a journey: an Arazzo workflow with resolved operations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthetic.probe.criteria import Criterion
from synthetic.probe.expressions import Expression
from synthetic.probe.operation import Operation


@dataclass(frozen=True, slots=True)
class Parameter:
    """The value of an operation's parameter, or of another header."""

    location: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Retry:
    """The conditions, the delay and the limit of a step's retries."""

    after: float  # seconds
    limit: int
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One request, the criteria for its response, and its outputs."""

    step_id: str
    operation: Operation
    parameters: tuple[Parameter, ...]
    content_type: str  # empty when there is no body
    payload: Any
    criteria: tuple[Criterion, ...]
    outputs: Mapping[str, Expression]
    retry: Retry | None
    cleanup: "Step | None"


@dataclass(frozen=True, slots=True)
class Journey:
    """A parsed workflow."""

    name: str
    summary: str
    inputs: Mapping[str, Any]
    steps: tuple[Step, ...]
