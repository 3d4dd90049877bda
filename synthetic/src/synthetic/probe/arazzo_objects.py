"""Parse the objects of a workflow: values, criteria, parameters, bodies and actions."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, cast

from synthetic.probe.arazzo_scope import Scope
from synthetic.probe.criteria import Criterion, parse_criterion
from synthetic.probe.cursor import Cursor
from synthetic.probe.expression_hints import find_hint
from synthetic.probe.expressions import Expression, parse_expression
from synthetic.probe.journey import Action, Output, Parameter, Replacement, RequestBody, WorkflowKey
from synthetic.probe.problems import quoted
from synthetic.probe.queries import VERSIONS, parse_query
from synthetic.probe.results import ProbeError
from synthetic.probe.templates import Selection, Template, parse_template

Result = TypeVar("Result")
WorkflowFinder = Callable[[Cursor], WorkflowKey | None]

LOCATIONS = ("path", "query", "header", "cookie")
CRITERION_TYPES = ("simple", "regex", "jsonpath", "xpath")
ACTION_FIELDS = ("name", "type", "stepId", "workflowId", "parameters", "criteria")
RETRY_FIELDS = ("retryAfter", "retryLimit")
MAX_OUTPUT_NAME = 200
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


class ObjectParser:
    """Parses the objects of one document, whose components they may refer to."""

    def __init__(self, components: Cursor | None, *, is_1_1: bool) -> None:
        """Use the ``components`` of the document, and the rules of its version."""
        self._components = components
        self._is_1_1 = is_1_1

    def template(self, cursor: Cursor, scope: Scope) -> Template:
        """Parse a value with its expressions."""
        parsed = self._attempt(cursor, lambda: parse_template(cursor.value, self._selector(cursor)))
        if parsed is None:
            return Template(None)
        _check_names(cursor, parsed.value, scope)
        return parsed

    def outputs(self, cursor: Cursor, scope: Scope) -> dict[str, Output]:
        """Parse the outputs of a step or of a workflow."""
        outputs: dict[str, Output] = {}
        for name, member in cursor.members("outputs"):
            if not name or not NAME_CHARACTERS.issuperset(name):
                member.problem(
                    f"the output {quoted(name)} must have letters, digits, . - and _ only"
                )
            known = len(member.problems.found)
            value = self.template(member, scope).value
            if isinstance(value, Expression | Selection):
                outputs[name] = value
            elif len(member.problems.found) == known:
                hint = find_hint(member.value) if isinstance(member.value, str) else ""
                member.problem(
                    hint or f"the output {name} must be an expression such as $response.body#/id"
                )
        return outputs

    def criteria(self, cursor: Cursor, name: str, scope: Scope) -> tuple[Criterion, ...]:
        """Parse a list of criteria."""
        found = (self._criterion(item, scope) for item in cursor.items(name))
        return tuple(criterion for criterion in found if criterion is not None)

    def _criterion(self, cursor: Cursor, scope: Scope) -> Criterion | None:
        if not cursor.expect_fields("a criterion", ("context", "condition", "type")):
            return None
        condition, context = cursor.text("condition", required=True), cursor.text("context")
        kind, version = self._query_type(cursor, "type", CRITERION_TYPES, "simple")
        if not condition or not kind:
            return None
        place = cursor.get("condition") or cursor
        criterion = self._attempt(place, lambda: parse_criterion(condition, kind, context, version))
        if criterion is not None:
            scope.check(place, criterion.expressions)
        return criterion

    def _query_type(
        self, cursor: Cursor, name: str, kinds: tuple[str, ...], default: str
    ) -> tuple[str, str]:
        """Return the type and the version of a query, which is a name or an object."""
        member = cursor.get(name)
        if member is None:
            return default, ""
        if not isinstance(member.value, dict):
            return cursor.choice(name, kinds), ""
        member.expect_fields("an expression type", ("type", "version"))
        kind = member.choice("type", tuple(k for k in kinds if k in VERSIONS), required=True)
        return kind, member.choice("version", VERSIONS.get(kind, ()), required=True) if kind else ""

    def _selector(self, cursor: Cursor) -> Callable[[Mapping[str, Any]], Selection | None]:
        def parse(value: Mapping[str, Any]) -> Selection | None:
            if not self._is_1_1 or value.keys() != {"context", "selector", "type"}:
                return None
            kind, version = self._query_type(
                Cursor(value, cursor.problems, cursor.location), "type", tuple(VERSIONS), ""
            )
            query = parse_query(kind, version, str(value["selector"])) if kind else lambda _: []
            return Selection(parse_expression(str(value["context"])), query)

        return parse

    def parameters(
        self, cursor: Cursor, scope: Scope, *, needs_location: bool
    ) -> tuple[Parameter, ...]:
        """Parse a list of parameters; those of operations need a location."""
        found: dict[tuple[str, str], Parameter] = {}
        for item in cursor.items("parameters"):
            parameter = self._parameter(item, scope, needs_location=needs_location)
            if parameter is None:
                continue
            key = (parameter.location, parameter.name)
            if key in found:
                item.problem(f"the parameter {parameter.name} is given twice")
            found[key] = parameter
        return tuple(found.values())

    def _parameter(self, cursor: Cursor, scope: Scope, *, needs_location: bool) -> Parameter | None:
        value = cursor.get("value")
        if cursor.has("reference"):
            target = self._referenced(cursor, "parameters")
            if target is None:
                return None
            cursor, value = target, value or target.get("value")
        if not cursor.expect_fields("a parameter", ("name", "in", "value")):
            return None
        name = cursor.text("name", required=True)
        locations = (*LOCATIONS, "querystring") if self._is_1_1 else LOCATIONS
        location = cursor.choice("in", locations, required=needs_location)
        if value is None:
            cursor.problem(f"the parameter {name} has no value")
            return None
        template = self.template(value, scope)
        return Parameter(location, name, template)

    def body(self, cursor: Cursor, scope: Scope) -> RequestBody | None:
        """Parse the requestBody of a step."""
        member = cursor.get("requestBody")
        if member is None or not member.expect_fields(
            "a requestBody", ("contentType", "payload", "replacements")
        ):
            return None
        content_type = member.text("contentType")
        payload = member.get("payload")
        template = self.template(payload, scope) if payload else Template(None)
        replacements = (
            self._replacement(item, content_type, scope) for item in member.items("replacements")
        )
        return RequestBody(content_type, template, tuple(r for r in replacements if r is not None))

    def _replacement(self, cursor: Cursor, content_type: str, scope: Scope) -> Replacement | None:
        fields = ("target", "value", *(("targetSelectorType",) if self._is_1_1 else ()))
        if not cursor.expect_fields("a replacement", fields):
            return None
        target, value = cursor.text("target"), cursor.get("value")
        default = "xpath" if "xml" in content_type.lower() else "jsonpointer"
        kind, version = self._query_type(cursor, "targetSelectorType", tuple(VERSIONS), default)
        if value is None:
            cursor.problem("the replacement has no value")
        query = self._attempt(cursor, lambda: parse_query(kind, version, target)) if kind else None
        if value is None or query is None:
            return None
        return Replacement(target, kind, query, self.template(value, scope))

    def actions(
        self, cursor: Cursor, name: str, scope: Scope, find_workflow: WorkflowFinder
    ) -> tuple[Action, ...]:
        """Parse a list of success or failure actions."""
        found: dict[str, Action] = {}
        is_failure = name.lower().endswith(("onfailure", "failureactions"))
        for item in cursor.items(name):
            section = "failureActions" if is_failure else "successActions"
            target = self._referenced(item, section) if item.has("reference") else item
            if target is None:
                continue
            action = self._action(target, scope, find_workflow, is_failure=is_failure)
            if action is None:
                continue
            if action.name in found:
                item.problem(f"the action {action.name} is given twice")
            found[action.name] = action
        return tuple(found.values())

    def _action(
        self, cursor: Cursor, scope: Scope, find_workflow: WorkflowFinder, *, is_failure: bool
    ) -> Action | None:
        fields = (*ACTION_FIELDS, *(RETRY_FIELDS if is_failure else ()))
        if not cursor.expect_fields("an action", fields):
            return None
        kinds = ("end", "goto", "retry") if is_failure else ("end", "goto")
        kind = cursor.choice("type", kinds, required=True)
        name = cursor.text("name", required=True)
        step_id, workflow = cursor.text("stepId"), find_workflow(cursor)
        if cursor.has("stepId") and cursor.has("workflowId"):
            cursor.problem(f"the action {name} must have a stepId or a workflowId, not both")
        if kind == "goto" and not cursor.has("stepId") and not cursor.has("workflowId"):
            cursor.problem(f"the action {name} needs the stepId or the workflowId to go to")
        if step_id and step_id not in scope.steps:
            place = cursor.get("stepId") or cursor
            place.problem(f"there is no step {quoted(step_id)} in this workflow")
        return Action(
            name,
            cast("Literal['end', 'goto', 'retry']", kind),
            step_id,
            workflow,
            self.parameters(cursor, scope, needs_location=False),
            self.criteria(cursor, "criteria", scope),
            cursor.number("retryAfter", 0.0),
            int(cursor.number("retryLimit", 1, whole=True)),
        )

    def _referenced(self, cursor: Cursor, section: str) -> Cursor | None:
        """Return the component that a Reusable Object names."""
        text = cursor.text("reference", required=True)
        prefix = f"$components.{section}."
        names = self._components.get(section) if self._components else None
        found = names.get(text.removeprefix(prefix)) if names and text.startswith(prefix) else None
        if found is None and text:
            known = ", ".join(names.value) if names and isinstance(names.value, dict) else ""
            hint = f"there are {known}" if known else f"components has no {section}"
            cursor.problem(f"{quoted(text)} does not exist: write {prefix}NAME; {hint}")
        # the problems of the component hinder the workflow that refers to it
        return Cursor(found.value, cursor.problems, found.location) if found else None

    @staticmethod
    def _attempt(cursor: Cursor, parse: Callable[[], Result]) -> Result | None:
        try:
            return parse()
        except ProbeError as error:
            cursor.problem(str(error))
            return None


def _check_names(cursor: Cursor, value: Any, scope: Scope) -> None:  # noqa: ANN401 - any template
    """Check the names in the expressions of a value, each at its own place."""
    if isinstance(value, dict | list):
        for name, member in value.items() if isinstance(value, dict) else enumerate(value):
            place = Cursor(None, cursor.problems, (*cursor.location, name))
            _check_names(place, member, scope)
    else:
        scope.check(cursor, Template(value).expressions)


def parameter_key(parameter: Parameter) -> tuple[str, str]:
    """Return the identity of a parameter; the names of headers are case-insensitive."""
    location, name = parameter.location, parameter.name
    return location, name.lower() if location == "header" else name
