r"""Regular expressions of ECMA-262, by the engine that checks the patterns of contracts.

The engine demands more escapes than browsers (ECMA-262, B.1.2), and takes `\<` for the start of a
word. Such patterns are common, so they are rewritten: `[\w-.]` is `[\w\-.]`, and `{a}` is `\{a\}`.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from synthetic.probe.documents import Node
from synthetic.probe.results import ProbeError

_TOKEN = re.compile(
    r"\\(?:[pPux]\{[^}]*\}|k<[^>]*>|c[A-Za-z]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)|.", re.DOTALL
)
_QUANTIFIER = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
_SETS = ("\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\p{", "\\P{")  # more than one character
_LITERALS = {"\\<": "\\x3C", "\\>": "\\x3E"}
_OUTSIDE = {**_LITERALS, "{": "\\{", "}": "\\}", "]": "\\]"}
_WITHIN = {**_LITERALS, "\\b": "\\x08"}
_EMPTY_CLASSES = {"[]": "(?!)", "[^]": "[\\s\\S]"}  # nothing, and any character


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text has a match.

    Raises:
        ProbeError: the pattern is invalid.

    """
    import jsonschema_rs  # noqa: PLC0415 - it needs 20 ms, and few journeys have patterns

    try:
        validator = jsonschema_rs.Draft202012Validator({"pattern": with_escapes(pattern)})
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise ProbeError(
            f"{pattern[:100]} is not a regular expression of ECMA-262, as in contracts"
        ) from error
    return validator.is_valid


def find_invalid(schemas: Iterable[Node]) -> str:
    """Return a sentence on the first invalid pattern of some schemas, or an empty text."""
    for node in schemas:
        pattern = node.get("pattern")
        if pattern is not None and isinstance(pattern.value, str):
            try:
                compile_pattern(pattern.value)
            except ProbeError as error:
                return f"{error} ({pattern.name}#{pattern.pointer})"
    return ""


def with_escapes(pattern: str) -> str:
    """Return a pattern with the escapes that browsers do without; an invalid one stays invalid."""
    return "".join(_escaped(pattern))


def _escaped(pattern: str) -> Iterator[str]:
    position = 0
    while position < len(pattern):
        end = _class_end(pattern, position) if pattern[position] == "[" else None
        if end is not None:
            yield _escaped_class(pattern[position:end])
        elif found := _QUANTIFIER.match(pattern, position):
            end = found.end()
            yield found[0]
        else:
            token = _token(pattern, position)
            end = position + len(token)
            yield _OUTSIDE.get(token, token)
        position = end


def _token(pattern: str, position: int) -> str:
    """Return an escape or a character; a backslash may be the last one."""
    found = _TOKEN.match(pattern, position)
    return found[0] if found else pattern[position]


def _class_end(pattern: str, start: int) -> int | None:
    """Return the end of a character class, or None if it is not closed."""
    position = start + 1 + pattern.startswith("^", start + 1)
    while position < len(pattern):
        token = _token(pattern, position)
        position += len(token)
        if token == "]":  # noqa: S105 - no password
            return position
    return None


def _escaped_class(text: str) -> str:
    """Return a character class; a hyphen that is part of no range is escaped."""
    if text in _EMPTY_CLASSES:
        return _EMPTY_CLASSES[text]
    opening = "[^" if text.startswith("[^") else "["
    atoms = _TOKEN.findall(text[len(opening) : -1])
    written, index = [opening], 0
    while index < len(atoms):
        first, *rest = atoms[index : index + 3]
        is_range = len(rest) == 2 and rest[0] == "-" and not _is_set(first) and not _is_set(rest[1])  # noqa: PLR2004 - a hyphen and an end
        parts = [first, rest[1]] if is_range else [first]
        written.append("-".join(_escaped_atom(part) for part in parts))
        index += 3 if is_range else 1
    return "".join([*written, "]"])


def _is_set(atom: str) -> bool:
    return atom.startswith(_SETS)


def _escaped_atom(atom: str) -> str:
    return "\\-" if atom == "-" else _WITHIN.get(atom, atom)
