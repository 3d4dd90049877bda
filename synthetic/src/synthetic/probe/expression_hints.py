"""Literal texts that were probably meant as runtime expressions."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from synthetic.probe.cursor import Cursor
from synthetic.probe.expressions import is_expression
from synthetic.probe.problems import quoted

KEYWORDS = ("url", "method", "statusCode", "self")  # that are complete expressions
EXAMPLES = {
    "request": "$request.body",
    "response": "$response.body",
    "inputs": "$inputs.NAME",
    "outputs": "$outputs.NAME",
    "steps": "$steps.ID.outputs.NAME",
    "workflows": "$workflows.ID.outputs.NAME",
    "sourceDescriptions": "$sourceDescriptions.NAME.url",
    "components": "$components.parameters.NAME",
}
ROOTS = tuple(EXAMPLES)
VALUES = ("value", "payload")  # the members whose texts may be expressions
SELECTOR = {"context", "selector"}  # the members of a Selector Object, which is parsed apart
OTHERS = ("inputs", "outputs")  # members that are checked elsewhere
MIN_RATIO = 0.75  # of difflib: $step and $input are near, $set and $item are not
_WORD = re.compile(r"\$([A-Za-z]+)(.*)", re.DOTALL)
_BRACED = re.compile(r"(?<!\$)\{(\$[A-Za-z][^{}\s]*)\}")
_BARE = re.compile(
    r"\$(?:steps\.[\w-]+\.outputs\.|(?:inputs|outputs)\.\w|workflows\.[\w-]+\.(?:in|out)puts\."
    r"|re(?:quest|sponse)\.(?:body|header\.|query\.|path\.)|statusCode\b)[^\s\"'{}<>,;&]*"
)


def check_literals(workflow: Cursor) -> None:
    """Record a warning for each text of a workflow that was probably meant as an expression."""
    for name in workflow.value if isinstance(workflow.value, dict) else ():
        member = workflow.get(name)
        if member is None or name in OTHERS or (name.startswith("x-") and name != "x-cleanup"):
            continue
        if name in VALUES:
            _check_texts(member)
        elif isinstance(member.value, list):
            for item in workflow.items(name):
                check_literals(item)
        else:
            check_literals(member)


def _check_texts(cursor: Cursor) -> None:
    value = cursor.value
    if isinstance(value, str):
        hint = find_hint(value)
        if hint:
            cursor.warn(hint)
        return
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict) and not value.keys() >= SELECTOR:
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        _check_texts(Cursor(member, cursor.problems, (*cursor.location, name)))


def find_hint(text: str) -> str:
    """Return a sentence on a text that was probably meant as an expression, or an empty text."""
    if is_expression(text):
        return ""
    meant = nearest(text)
    if meant:
        return f"{quoted(text)} is no expression; did you mean {quoted(meant)}?"
    for braced in _BRACED.findall(text):
        meant = "" if is_expression(braced) else nearest(braced)
        if meant:
            return f"{{{quoted(braced)}}} is no expression; did you mean {{{quoted(meant)}}}?"
    return next(_bare_hints(text), "")


def _bare_hints(text: str) -> Iterator[str]:
    for found in _BARE.finditer(text):
        if text[: found.start()][-1:] != "{":
            expression = found[0].rstrip(".:")
            yield f"{quoted(expression)} is a part of the text here: embed it as {{{expression}}}"


def nearest(text: str) -> str:
    """Return an expression that differs from a text by a letter or two of its root."""
    import difflib  # noqa: PLC0415 - only mistakes need it

    match = _WORD.fullmatch(text)
    if match is None:
        return ""
    word, rest = match[1], match[2]
    if rest[:1] not in {"", "."} or (not rest and word.isupper()):  # such as $URL of a shell
        return ""
    known = ROOTS if rest else (*ROOTS, *KEYWORDS)
    alike = [each for each in known if each.lower() == word.lower()]
    likely = alike or difflib.get_close_matches(word, known, 1, MIN_RATIO)
    if not likely:
        return ""
    return f"${likely[0]}{rest}" if rest else EXAMPLES.get(likely[0], f"${likely[0]}")
