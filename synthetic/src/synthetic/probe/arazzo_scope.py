"""Names that the expressions of one workflow may refer to."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from synthetic.probe.cursor import Cursor
from synthetic.probe.expressions import Expression

SOURCE_FIELDS = ("url", "type", "name")


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that exist at one place of a workflow; None stands for any name."""

    inputs: Collection[str] | None
    steps: Mapping[str, Collection[str]]  # outputs by stepId
    workflows: Mapping[str, Mapping[str, Collection[str] | None]]  # names by field by workflowId
    sources: Collection[str]
    components: Collection[str]  # of components.parameters
    later: Collection[str] = field(default_factory=tuple)  # steps that have not run
    outputs: Collection[str] | None = ()  # of the workflow that the step has called
    has_response: bool = False

    def after(self, outputs: Collection[str] | None = ()) -> "Scope":
        """Return the scope after the step's response, with the outputs of a called workflow."""
        return replace(self, has_response=True, outputs=outputs)

    def check(self, cursor: Cursor, expressions: Iterable[Expression]) -> None:
        """Record a problem for each expression that refers to an undefined value."""
        for expression in expressions:
            message = self._problem(expression)
            if message:
                cursor.problem(message)

    def _problem(self, expression: Expression) -> str:
        parts, text = expression.parts, expression.text
        if expression.needs_response:
            return "" if self.has_response else f"{text}: no response is available yet"
        if parts["step"]:
            return self._problem_of_step(parts["step"], parts["output"] or "", text)
        if parts["workflow"]:
            return self._problem_of_workflow(parts, text)
        return self._problem_of_name(parts, text)

    def _problem_of_name(self, parts: Mapping[str, str | None], text: str) -> str:
        message = ""
        if parts["values"] == "inputs" and not _exists(parts["name"], self.inputs):
            message = f"there is no input {parts['name']}{_known(self.inputs)}"
        elif parts["values"] == "outputs" and not _exists(parts["name"], self.outputs):
            message = (
                f"{text} is not supported here: only a step that calls a workflow has its outputs"
                f"{_known(self.outputs)}"
            )
        elif parts["source"] and (
            parts["source"] not in self.sources or parts["source_field"] not in SOURCE_FIELDS
        ):
            message = f"there is no {text}: name a source description and its url or type"
        elif parts["component"] and parts["component"] not in self.components:
            message = f"there is no {text}{_known(self.components)}"
        return message

    def _problem_of_step(self, step: str, output: str, text: str) -> str:
        if step in self.steps and step not in self.later:
            if _exists(output, self.steps[step]):
                return ""
            return f"no earlier step has the output {text}{_known(self.steps[step])}"
        why = "has not run before" if step in self.steps else "does not exist"
        return f"no earlier step has the output {text}: the step {step} {why}"

    def _problem_of_workflow(self, parts: Mapping[str, str | None], text: str) -> str:
        fields = self.workflows.get(parts["workflow"] or "")
        if fields is None:
            return f"{text}: there is no workflow {parts['workflow']}{_known(self.workflows)}"
        names = fields[parts["field"] or ""]
        return "" if _exists(parts["field_name"], names) else f"there is no {text}{_known(names)}"


def _exists(name: str | None, names: Collection[str] | None) -> bool:
    """Return whether a name exists, or the name before a `.` or `[` of it."""
    if names is None or name is None or name in names:
        return True
    return any(name.startswith((f"{known}.", f"{known}[")) for known in names)


def _known(names: Collection[str] | None) -> str:
    return f"; there are {', '.join(names)}" if names else ""
