"""Extensions of a workflow whose names are nearly those that the probe knows."""

import difflib

from synthetic.probe.cursor import Cursor, members_of
from synthetic.probe.problems import quoted

EXTENSIONS = {"xcleanup": "x-cleanup", "xgenerate": "x-generate"}
MIN_RATIO = 0.8  # of difflib: x-clean is near, and x-clear is not


def check_extensions(workflow: Cursor) -> None:
    """Record a warning for each extension that was probably meant as one of the probe's."""
    _check_names(workflow)
    for step in workflow.items("steps"):
        _check_names(step)
    inputs = workflow.get("inputs")
    for _, described in inputs.members("properties") if inputs else ():
        _check_names(described)


def _check_names(cursor: Cursor) -> None:
    for name in members_of(cursor.value):
        if not name.startswith("x-") or name in EXTENSIONS.values():
            continue
        plain = name.lower().replace("-", "").replace("_", "")
        near = difflib.get_close_matches(plain, EXTENSIONS, 1, MIN_RATIO)
        if near:
            place = Cursor(None, cursor.problems, (*cursor.location, name))
            known = EXTENSIONS[near[0]]
            place.warn(f"{quoted(name)} has no effect; did you mean {known}?")
