"""Plain values of YAML and JSON files, read by libyaml without places, for contracts and inputs."""

import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any, ClassVar

import yaml

from synthetic.probe.results import ProbeError

# libyaml is about ten times faster; all wheels have it, source builds may not
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TIMESTAMP_TAG = "tag:yaml.org,2002:timestamp"

MAX_FILE_BYTES = 2 * 1024 * 1024


class _Loader(_SafeLoader):  # type: ignore[misc] # one of two classes
    """A YAML loader of JSON values: dates stay strings."""

    yaml_implicit_resolvers: ClassVar = {
        first: [pair for pair in pairs if pair[0] != _TIMESTAMP_TAG]
        for first, pairs in _SafeLoader.yaml_implicit_resolvers.items()
    }


def read_yaml(path: Path, max_bytes: int = MAX_FILE_BYTES) -> Any:  # noqa: ANN401 - any JSON
    """Return the content of a YAML or JSON file.

    Raises:
        ProbeError: the file cannot be read, is too large, or is not YAML.

    """
    try:
        if path.stat().st_size > max_bytes:
            raise ProbeError(f"{path.name} is larger than {max_bytes} bytes")
        return parse_yaml(path.read_bytes(), path.name)
    except OSError as error:
        raise ProbeError(f"{path} cannot be read ({error.strerror})") from error


def parse_yaml(content: bytes, name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a YAML or JSON text; ``name`` is for messages.

    Raises:
        ProbeError: the text is not YAML.

    """
    try:
        content = content.removeprefix(BOM_UTF8)
        if content.lstrip().startswith(b"{"):
            try:
                return json.loads(content)  # far faster than YAML
            except ValueError:
                pass  # a flow mapping of YAML, or an error that YAML's message locates
        return yaml.load(content, _Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ProbeError(
            f"{name} is not YAML{where}: {getattr(error, 'problem', error)}"
        ) from error
    except RecursionError as error:
        raise ProbeError(f"{name} is nested too deeply") from error


def with_string_keys(value: Any, done: dict[int, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Return a document whose keys are strings; ``done`` keeps the work on aliases linear."""
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, list):
        done[id(value)] = copied = [with_string_keys(item, done) for item in value]
        return copied
    if isinstance(value, dict):
        members = {str(key): with_string_keys(item, done) for key, item in value.items()}
        done[id(value)] = members
        return members
    return value
