"""Domain objects of a journey: Arazzo workflows with resolved operations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from synthetic.probe.criteria import Criterion
from synthetic.probe.expressions import Expression
from synthetic.probe.operation import Operation
from synthetic.probe.queries import Query
from synthetic.probe.runtime_values import DocumentValues
from synthetic.probe.templates import Selection, Template

WorkflowKey = tuple[str, str]  # the document's path, and the workflowId

Output = Expression | Selection


@dataclass(frozen=True, slots=True)
class Parameter:
    """The value of an operation's parameter, of another header, or of a workflow's input."""

    location: str  # empty for an input
    name: str
    value: Template


@dataclass(frozen=True, slots=True)
class Replacement:
    """A value to set at a place of the payload."""

    target: str
    kind: str  # jsonpointer, jsonpath or xpath
    query: Query
    value: Template


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The payload of a request; an empty content type stands for the contract's."""

    content_type: str
    payload: Template
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """The action after a step: the end of the workflow, another step or workflow, or a retry."""

    name: str
    kind: Literal["end", "goto", "retry"]
    step_id: str = ""
    workflow: WorkflowKey | None = None
    parameters: tuple[Parameter, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    retry_after: float = 0.0  # seconds
    retry_limit: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """A call of an operation or of a workflow, the criteria for its success, and its outputs."""

    step_id: str
    call: Operation | WorkflowKey
    parameters: tuple[Parameter, ...] = ()
    body: RequestBody | None = None
    criteria: tuple[Criterion, ...] = ()
    on_success: tuple[Action, ...] = ()
    on_failure: tuple[Action, ...] = ()
    outputs: Mapping[str, Output] = field(default_factory=dict)
    timeout: float | None = None  # seconds
    depends_on: tuple[str, ...] = ()  # steps of the same workflow
    cleanup: "Step | None" = None

    @property
    def operation(self) -> Operation:
        """The operation that this step calls."""
        if isinstance(self.call, tuple):
            raise TypeError(f"{self.step_id} calls a workflow")
        return self.call


@dataclass(frozen=True, slots=True)
class Workflow:
    """A parsed workflow."""

    key: WorkflowKey
    summary: str
    inputs: Mapping[str, Any]  # its JSON Schema with references resolved
    steps: tuple[Step, ...]
    outputs: Mapping[str, Output]
    depends_on: tuple[WorkflowKey, ...]
    document: DocumentValues

    @property
    def workflow_id(self) -> str:
        """The workflowId."""
        return self.key[1]


@dataclass(frozen=True, slots=True)
class Journey:
    """A workflow, with all workflows that it may run."""

    name: str
    main: Workflow
    workflows: Mapping[WorkflowKey, Workflow]

    @property
    def summary(self) -> str:
        """The summary of the workflow."""
        return self.main.summary

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The schema of the workflow's inputs."""
        return self.main.inputs

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the workflow."""
        return self.main.steps

    def calls(self) -> Iterator[Step]:
        """Yield all steps that call an operation, clean-up steps included."""
        for workflow in self.workflows.values():
            for each in workflow.steps:
                for step in (each, each.cleanup):
                    if step is not None and not isinstance(step.call, tuple):
                        yield step

    def operations(self) -> Iterator[Operation]:
        """Yield the operations of all steps, clean-up steps included."""
        return (step.operation for step in self.calls())
