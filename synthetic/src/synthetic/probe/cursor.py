"""Reading of a document's values by type; each wrong one becomes a problem with its place."""

from collections.abc import Collection, Mapping
from typing import Any, Self

from synthetic.probe.problems import Problems, closest, quoted
from synthetic.probe.yaml_document import Location

_NAMES = {dict: "an object", list: "an array", str: "a string", bool: "true or false"}


class Cursor:
    """A value of a document; reading it never fails, and records problems instead."""

    def __init__(self, value: Any, problems: Problems, location: Location = ()) -> None:  # noqa: ANN401 - any JSON
        """Point at ``value``, which is at ``location``."""
        self.value = value
        self.problems = problems
        self.location = tuple(location)

    def problem(self, message: str) -> None:
        """Record a problem at this value."""
        self.problems.add(self.location, message)

    def warn(self, message: str) -> None:
        """Record a warning at this value."""
        self.problems.add(self.location, message, is_warning=True)

    def at(self, pointer: str) -> Self:
        """Return the place at a JSON pointer (RFC 6901), or of its innermost parent that exists."""
        value, steps = self.value, list(self.location)
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                steps.append(int(name))
                value = value[int(name)]
            else:
                steps.append(name)
                value = members_of(value).get(name)
        return type(self)(value, self.problems, steps)

    def has(self, name: str) -> bool:
        """Return whether this is an object with the member ``name``."""
        return isinstance(self.value, dict) and name in self.value

    def get(self, name: str) -> Self | None:
        """Return a member, or None without it."""
        if not self.has(name):
            return None
        return type(self)(self.value[name], self.problems, (*self.location, name))

    def text(self, name: str, *, required: bool = False) -> str:
        """Return a member that has to be a string, or an empty string without it."""
        member = self.get(name)
        if member is None:
            if required:
                self.problem(f"{name} is missing")
            return ""
        if not isinstance(member.value, str) or (required and not member.value):
            member.problem(f"{name} must be a string{' with a value' if required else ''}")
            return ""
        return str(member.value)

    def number(self, name: str, default: float, *, whole: bool = False) -> float:
        """Return a member that has to be a number from 0, or ``default`` without it."""
        member = self.get(name)
        if member is None:
            return default
        value = member.value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or value < 0 or (whole and value != int(value)):
            member.problem(f"{name} must be {'an integer' if whole else 'a number'} from 0")
            return default
        return int(value) if whole else float(value)

    def members(self, name: str) -> list[tuple[str, Self]]:
        """Return the members of a member that has to be an object."""
        member = self.get(name)
        if member is None or not member.expect(dict, name):
            return []
        return [(key, found) for key in member.value if (found := member.get(key)) is not None]

    def items(self, name: str, *, least: int = 0) -> list[Self]:
        """Return the elements of a member that has to be an array."""
        member = self.get(name)
        if member is None:
            if least:
                self.problem(f"{name} is missing")
            return []
        if not member.expect(list, name):
            return []
        if len(member.value) < least:
            member.problem(f"{name} must not be empty")
        return [
            type(self)(value, self.problems, (*member.location, index))
            for index, value in enumerate(member.value)
        ]

    def expect(self, kind: type, what: str) -> bool:
        """Return whether this value has a type; record a problem otherwise."""
        if isinstance(self.value, kind):
            return True
        self.problem(f"{what} must be {_NAMES[kind]}")
        return False

    def expect_fields(self, what: str, names: Collection[str]) -> bool:
        """Return whether this is an object; each member not in ``names`` is a problem."""
        if not self.expect(dict, what):
            return False
        for name in self.value:
            if name not in names and not name.startswith("x-"):
                hint = closest(name, names) or f"it has {', '.join(names)}"
                self.problems.add((*self.location, name), f"{what} has no {quoted(name)}: {hint}")
        return True

    def choice(self, name: str, values: Collection[str], *, required: bool = False) -> str:
        """Return a member that has to be one of some strings, or an empty string without it."""
        text = self.text(name, required=required)
        if text and text not in values:
            self.problems.add(
                (*self.location, name),
                f"{name} must be one of {', '.join(values)}, not {quoted(text)}",
            )
            return ""
        return text


def members_of(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
    """Return an object, or an empty one in place of another value."""
    return value if isinstance(value, dict) else {}
