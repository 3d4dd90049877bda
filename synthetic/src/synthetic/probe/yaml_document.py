"""YAML 1.2 documents, JSON included, as plain values with the place of each of them."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from synthetic.probe.results import ProbeError

# libyaml is about ten times faster; all wheels have it, source builds may not
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# a character beyond U+FFFF in a JSON string, which YAML writes otherwise
_SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})"
)
_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(("plain", "str", "int", "float", "bool", "null"))
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {
    word: value
    for name, value in (("true", True), ("false", False))
    for word in (name, name.capitalize(), name.upper())
}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_TAB = re.compile(r"^ *\t", re.MULTILINE)
_TEXT_AFTER_QUOTE = re.compile(
    r"""(?:^|: |- |[\[{,] ?) *(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*') *[^\s,:#\]}'"]""",
    re.MULTILINE,
)

MAX_FILE_BYTES = 2 * 1024 * 1024  # bytes
MAX_NODES = 1_000_000  # after the expansion of aliases
MAX_DIGITS = 400  # of a number; the conversion of more takes quadratic time

Location = Sequence[str | int]  # names and indexes from the root to a value
Duplicate = tuple[str, int, int]  # a name with its line and column


class YamlDocument:
    """A parsed file."""

    def __init__(self, path: Path) -> None:
        """Parse the file at ``path``.

        Raises:
            ProbeError: the file cannot be read, is too large, or is not YAML with JSON's types.

        """
        self.path = path
        try:
            self._root, self.duplicates = _compose(path)
            self._sizes: dict[int, int] = {}
            self._values: dict[int, Any] = {}
            self.value = self._build(self._root)
        except OSError as error:
            raise ProbeError(f"{path} cannot be read ({error.strerror})") from error
        except yaml.YAMLError as error:
            raise ProbeError(f"{path.name}{_describe(error, path)}") from error
        except RecursionError as error:
            raise ProbeError(f"{path.name} is nested too deeply") from error

    def place(self, path: Location) -> tuple[int, int]:
        """Return line and column, from 1, of a value, or of its innermost parent that exists."""
        node = mark = self._root
        for step in path:
            found = _member(node, step)
            if found is None:
                break
            mark, node = found
        return (mark.start_mark.line + 1, mark.start_mark.column + 1) if mark else (1, 1)

    def _build(self, node: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return the value of a node; a repeated alias is one object."""
        if node is None:
            return None
        key = id(node)
        if key not in self._sizes:
            self._sizes[key] = MAX_NODES  # until it is complete: a node within itself is endless
            self._values[key] = self._build_new(node)
            self._sizes[key] = 1 + sum(self._sizes[id(child)] for child in _children(node))
        if self._sizes[key] >= MAX_NODES:
            problem = f"it has more than {MAX_NODES} values, or an alias of itself"
            raise yaml.composer.ComposerError(None, None, problem, node.start_mark)
        return self._values[key]

    def _build_new(self, node: Any) -> Any:  # noqa: ANN401 - any JSON
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.ScalarNode) and kind in _SCALARS:
            return node.value if kind == "str" else _typed(node.value)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self._build(child) for child in node.value]
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node)
        problem = f"the tag {node.tag[:60]} is not one of JSON's types"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)

    def _mapping(self, node: Any) -> dict[str, Any]:  # noqa: ANN401 - a node of either loader
        result: dict[str, Any] = {}
        for name, child in node.value:
            if not isinstance(name, yaml.ScalarNode):
                problem = "a name is not a scalar"
                raise yaml.constructor.ConstructorError(None, None, problem, name.start_mark)
            result[name.value] = self._build(child)
        return result


def _compose(path: Path) -> tuple[Any, list[Duplicate]]:
    """Return the root node, and the names that are repeated in an object."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ProbeError(f"{path.name} is larger than {MAX_FILE_BYTES} bytes")
    content = path.read_bytes().removeprefix(BOM_UTF8)
    if content.lstrip().startswith(b"{"):
        content = _SURROGATES.sub(_join_surrogates, content)
    loader = _Loader(content)
    # untagged plain scalars get one tag; `_typed` applies the rules of YAML 1.2 to them
    loader.yaml_implicit_resolvers = {None: [(f"{_TAG}plain", re.compile(""))]}
    try:
        node = loader.get_single_node()
        return node, _flatten(loader, node)
    finally:
        loader.dispose()


def _join_surrogates(match: re.Match[bytes]) -> bytes:
    high, low = int(match[2], 16), int(match[3], 16)
    return match[1] + b"\\U%08X" % (0x10000 + ((high & 0x3FF) << 10 | low & 0x3FF))


def _flatten(loader: Any, root: Any) -> list[Duplicate]:  # noqa: ANN401 - either loader
    """Replace merge keys (`<<`) by the members that they stand for; return repeated names."""
    seen: set[int] = set()
    pending: list[Any] = [root]
    duplicates: list[Duplicate] = []
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            names = [name for name, _ in node.value]
            duplicates += _repeated(names)
            for name in names:
                if name.value == "<<":
                    name.tag = f"{_TAG}merge"
            if any(name.tag == f"{_TAG}merge" for name in names):
                loader.flatten_mapping(node)
        pending.extend(_children(node))
    return duplicates


def _repeated(names: list[Any]) -> Iterator[Duplicate]:
    seen: set[str] = set()
    for name in names:
        if isinstance(name, yaml.ScalarNode):
            if name.value in seen:
                yield name.value, name.start_mark.line + 1, name.start_mark.column + 1
            seen.add(name.value)


def _children(node: Any) -> Iterator[Any]:  # noqa: ANN401 - a node of either loader
    if isinstance(node, yaml.MappingNode):
        return (child for _, child in node.value)
    return iter(node.value if isinstance(node, yaml.SequenceNode) else ())


def _member(node: Any, step: str | int) -> tuple[Any, Any] | None:  # noqa: ANN401 - any node
    """Return the node that marks a member, its name in an object, and the member's own node."""
    if isinstance(node, yaml.MappingNode):
        return next(((name, child) for name, child in node.value if name.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _typed(text: str) -> str | float | bool | None:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if len(text) > MAX_DIGITS:
        return text
    if _INTEGER.match(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text) if _FLOAT.match(text) else text


def _describe(error: yaml.YAMLError, path: Path) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    where = f", line {mark.line + 1}" if mark else ""
    problem = getattr(error, "problem", None) or "it is not text"
    lines = path.read_text(errors="replace").splitlines() if mark else []
    # an error after a value may be that of the line before
    hint = _hint("\n".join(lines[max(0, mark.line - 1) : mark.line + 1])) if mark else ""
    return f"{place} is not YAML{where}: {problem}{hint}"


def _hint(lines: str) -> str:
    """Return the remedy for a common mistake in some lines, or an empty text."""
    if _TEXT_AFTER_QUOTE.search(lines):
        return "; text follows the closing quote: put quotes around the whole value"
    return "; indent with blanks, not with tabs" if _TAB.search(lines) else ""
