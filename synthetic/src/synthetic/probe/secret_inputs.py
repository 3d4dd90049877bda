"""Inputs in the files of folders, as Kubernetes mounts Secrets: one input in each file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synthetic.probe.allowed_hosts import AllowedHosts, parse_hosts
from synthetic.probe.masking import MASK
from synthetic.probe.results import ProbeError

HOSTS_VARIABLE = "INPUTS_HOSTS"
MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SecretInputs:
    """Texts of inputs by name, and the hosts that may receive them; ``repr`` omits the texts."""

    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: AllowedHosts = None


def read_secret_inputs(
    folders: Sequence[Path], environment: Mapping[str, str] | None = None
) -> SecretInputs:
    """Read the files of folders; of equal names the last one wins. No output contains the texts.

    The environment variable INPUTS_HOSTS restricts the hosts that may receive them.

    Raises:
        ProbeError: a file cannot be read, or is too long.

    """
    environment = os.environ if environment is None else environment
    texts = {name: text for folder in folders for name, text in _read_folder(folder).items()}
    for text in texts.values():
        MASK.add(text)
    return SecretInputs(texts, parse_hosts(environment, HOSTS_VARIABLE) if folders else None)


def _read_folder(folder: Path) -> dict[str, str]:
    try:
        paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
        return {path.name: _read_text(path) for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        place = getattr(error, "filename", None) or folder
        raise ProbeError(f"--inputs-from: {place} cannot be read ({why})") from error


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ProbeError(f"--inputs-from: {path} is longer than {MAX_FILE_BYTES} bytes")
    return content.decode("utf-8-sig").strip()
