"""Read Arazzo documents: a journey with all that it may run, or all workflows of a file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from synthetic.probe.arazzo_document import ArazzoDocument
from synthetic.probe.journey import Journey, Workflow, WorkflowKey
from synthetic.probe.problems import Problem, has_mistakes, quoted, raise_first
from synthetic.probe.results import ProbeError
from synthetic.probe.sources import Sources
from synthetic.probe.transport import Proxy
from synthetic.probe.workflow_parser import WorkflowParser


def read_journey(
    path: Path,
    name: str,
    files: Mapping[str, Path] | None = None,
    proxy: Proxy | None = None,
    folders: Sequence[Path] = (),
) -> Journey:
    """Read the workflow ``name`` of an Arazzo document, and those that it may run.

    ``files`` has the files to read in place of the URLs of source descriptions; other URLs are
    read by way of the ``proxy``, if any.

    Raises:
        ProbeError: one of them is invalid or not supported; the message has the place.
        ConfinementError: a document is in none of the ``folders``, if any are given.

    """
    sources = Sources(files, folders, proxy)
    main = ArazzoDocument(path, sources)
    raise_first(main.problems.found)
    if name not in main.workflow_ids:
        raise _no_workflow(path, name, main)
    documents = {main.path: main}
    workflows: dict[WorkflowKey, Workflow] = {}
    pending = [(main.path, name)]
    while pending:
        key = pending.pop()
        if key in workflows:
            continue
        if key[0] not in documents:
            documents[key[0]] = ArazzoDocument(Path(key[0]), sources)
        document = documents[key[0]]
        workflow, problems = parse_workflow(document, key[1])
        raise_first(document.problems.found + problems)
        workflows[key] = workflow
        pending += _referenced(workflow)
    first = workflows[main.path, name]
    _check_dependencies(first, workflows)
    return Journey(name, first, workflows)


def check_workflow(
    path: Path, name: str, files: Mapping[str, Path] | None = None, folders: Sequence[Path] = ()
) -> list[Problem]:
    """Return the problems of a workflow and of those that it may run, contracts included.

    Raises:
        ProbeError: a file cannot be read or is not YAML, or has no workflow of this name.
        ConfinementError: a document is in none of the ``folders``, if any are given.

    """
    sources = Sources(files, folders)
    main = ArazzoDocument(path, sources)
    if not main.problems.found and name not in main.workflow_ids:
        raise _no_workflow(path, name, main)
    documents = {main.path: main}
    problems = set(main.problems.found)
    pending, seen = [(main.path, name)] if not problems else [], set()
    while pending:
        key = pending.pop()
        if key in seen:
            continue
        seen.add(key)
        if key[0] not in documents:
            documents[key[0]] = ArazzoDocument(Path(key[0]), sources)
        document = documents[key[0]]
        workflow, found = _parse_against_contract(document, key[1])
        problems.update(document.problems.found, found)
        if not has_mistakes(found):
            pending += _referenced(workflow)
    return sorted(problems)


def read_all(
    path: Path,
    files: Mapping[str, Path] | None = None,
    folders: Sequence[Path] = (),
    *,
    against_contract: bool = False,
) -> tuple[dict[str, Workflow], list[Problem]]:
    """Return the workflows of a document that are valid, and the problems of the others.

    With ``against_contract`` they include valid requests for what the contract does not declare.

    Raises:
        ProbeError: the file cannot be read, or is not YAML.
        ConfinementError: a document is in none of the ``folders``, if any are given.

    """
    sources = Sources(files, folders)
    document = ArazzoDocument(path, sources)
    if against_contract:
        document.warn_of_repeated_names()
    valid: dict[str, Workflow] = {}
    problems = list(document.problems.found)
    for name in document.workflow_ids:
        parse = _parse_against_contract if against_contract else parse_workflow
        workflow, found = parse(document, name)
        problems += found
        if not has_mistakes(found):
            valid[name] = workflow
    problems += _remove_callers(document, valid, sources)
    return valid, sorted(set(problems))


def _remove_callers(
    document: ArazzoDocument, valid: dict[str, Workflow], sources: Sources
) -> list[Problem]:
    """Remove the workflows that may run one with mistakes, and return a problem for each."""
    broken = {(document.path, name) for name in document.workflow_ids if name not in valid}
    callers, others = _find_callers(document, valid, sources)
    broken |= others
    problems: list[Problem] = []
    pending = list(broken)
    while pending:
        culprit = pending.pop()
        for path, name in callers.get(culprit, []):
            if (path, name) in broken:
                continue
            broken.add((path, name))
            pending.append((path, name))
            if path == document.path:
                del valid[name]
                cursor = document.cursor(name)
                cursor.problem(f"{quoted(name)} runs {quoted(culprit[1])}, which has mistakes")
                problems += cursor.problems.found
    return problems


def _find_callers(
    document: ArazzoDocument, valid: Mapping[str, Workflow], sources: Sources
) -> tuple[dict[WorkflowKey, list[WorkflowKey]], set[WorkflowKey]]:
    """Return the callers of each workflow, and the workflows with mistakes of other documents."""
    documents = {document.path: document}
    seen = {(document.path, name) for name in document.workflow_ids}
    pending = [((document.path, name), workflow) for name, workflow in valid.items()]
    callers: dict[WorkflowKey, list[WorkflowKey]] = {}
    broken: set[WorkflowKey] = set()
    while pending:
        key, workflow = pending.pop()
        for called in _referenced(workflow):
            callers.setdefault(called, []).append(key)
            if called in seen:
                continue
            seen.add(called)
            path, name = called
            if path not in documents:
                documents[path] = ArazzoDocument(Path(path), sources)
            other, found = parse_workflow(documents[path], name)
            if has_mistakes(found):
                broken.add(called)
            else:
                pending.append((called, other))
    return callers, broken


def parse_workflow(document: ArazzoDocument, name: str) -> tuple[Workflow, list[Problem]]:
    """Return a workflow with its problems; it can run if it has none."""
    cursor = document.cursor(name)
    return WorkflowParser(document, cursor).parse(), cursor.problems.found


def _parse_against_contract(document: ArazzoDocument, name: str) -> tuple[Workflow, list[Problem]]:
    from synthetic.probe.contract_checks import check_steps  # noqa: PLC0415 - a run needs none
    from synthetic.probe.expression_hints import check_literals  # noqa: PLC0415
    from synthetic.probe.extension_checks import check_extensions  # noqa: PLC0415

    cursor = document.cursor(name)
    workflow = WorkflowParser(document, cursor).parse()
    if not cursor.problems.found:
        check_steps(cursor, workflow, document.used_inputs)
    check_literals(cursor)
    check_extensions(cursor)
    return workflow, cursor.problems.found


def _no_workflow(path: Path, name: str, document: ArazzoDocument) -> ProbeError:
    return ProbeError(
        f"{path.name} has no workflow {name}; it has {', '.join(document.workflow_ids)}"
    )


def _referenced(workflow: Workflow) -> Iterator[WorkflowKey]:
    """Yield the workflows that a workflow may run."""
    yield from workflow.depends_on
    for each in workflow.steps:
        for step in (each, each.cleanup):
            if step is not None:
                if isinstance(step.call, tuple):
                    yield step.call
                for action in (*step.on_success, *step.on_failure):
                    if action.workflow is not None:
                        yield action.workflow


def _check_dependencies(first: Workflow, workflows: Mapping[WorkflowKey, Workflow]) -> None:
    """Raise ``ProbeError`` if a workflow depends on itself."""
    finished: set[WorkflowKey] = set()
    path: list[WorkflowKey] = []

    def visit(key: WorkflowKey) -> None:
        if key in path:
            names = " -> ".join(name for _, name in [*path[path.index(key) :], key])
            raise ProbeError(f"{Path(key[0]).name}: dependsOn has a cycle: {names}")
        if key not in finished:
            path.append(key)
            for other in workflows[key].depends_on:
                visit(other)
            path.pop()
            finished.add(key)

    visit(first.key)
