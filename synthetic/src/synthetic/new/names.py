"""Names in contracts: the words of paths, parameters and properties."""

import re
from collections.abc import Collection

PARAMETER = "{}"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TEMPLATE = re.compile(r"\{[^{}]*\}")
_VERBS = frozenset((
    *("add", "all", "by", "change", "create", "delete", "destroy", "edit", "exist", "exists"),
    *("fetch", "find", "get", "insert", "list", "make", "modify", "new", "patch", "post", "put"),
    *("query", "read", "register", "remove", "replace", "retrieve", "search", "show", "store"),
    *("drop", "look", "save", "update", "upsert", "view"),
))  # fmt: skip
_IDS = frozenset(("id", "ids", "uuid", "uuids", "guid", "guids"))


def words(name: str) -> list[str]:
    """Return the words of a name in lower case: ``clientId`` has client and id."""
    return [word.lower() for word in _WORD.findall(name)]


def singular(word: str) -> str:
    """Return the singular of an English word by its ending."""
    if word.endswith("ies") and len(word) > len("ties"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def noun(name: str) -> str:
    """Return a name in lower case without separators, its last word in the singular."""
    *first, last = words(name) or [name.lower()]
    return "".join([*first, singular(last)])


def id_noun(name: str) -> str | None:
    """Return the noun that an id belongs to: empty for ``id``, None for another name."""
    *first, last = words(name) or [""]
    if last not in _IDS:
        return None
    return noun("_".join(first)) if first else ""


def path_nouns(path: str) -> tuple[str, ...]:
    """Return the segments of a path without verbs; a parameter is ``PARAMETER``.

    ``/clients/fetch/{client_id}`` and ``/clients/{id}`` are both client and a parameter.
    """
    segments = [segment for segment in path.split("/") if segment]
    named = [PARAMETER if "{" in s else s for s in segments]
    return tuple(s if s == PARAMETER else noun(s) for s in named if not _is_verb(s))


def collection(path: str) -> tuple[str, ...]:
    """Return the segments of a path without verbs and parameters."""
    return tuple(segment for segment in path_nouns(path) if segment != PARAMETER)


def path_parameters(path: str) -> list[str]:
    """Return the names of a path's parameters in their order."""
    return [match[1:-1] for match in _TEMPLATE.findall(path)]


def label(path: str) -> str:
    """Return the last segment of a path that is a noun, as it is written."""
    segments = [s for s in path.split("/") if s and "{" not in s and not _is_verb(s)]
    return identifier(segments[-1]) if segments else "root"


def identifier(text: str) -> str:
    """Return a text with letters, digits, ``-`` and ``_`` only."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "x"


def unique(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the name, or the name with a number."""
    number = 2
    result = name
    while result in taken:
        result, number = f"{name}-{number}", number + 1
    return result


def _is_verb(segment: str) -> bool:
    return segment != PARAMETER and next(iter(words(segment)), "") in _VERBS
