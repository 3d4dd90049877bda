"""Shipped journeys and contracts, and lookup of a user's own."""

import os
from pathlib import Path

from synthetic.probe.arazzo_document import ArazzoDocument
from synthetic.probe.arazzo_parser import read_journey
from synthetic.probe.journey import Journey
from synthetic.probe.problems import raise_first
from synthetic.probe.results import ProbeError
from synthetic.probe.sources import Sources
from synthetic.probe.transport import Proxy

SUFFIX = ".arazzo.yaml"


def contracts_folder() -> Path:
    """Return the folder of contracts: CONTRACTS_DIR, or ``openapi`` of the checkout."""
    given = os.environ.get("CONTRACTS_DIR")
    return Path(given) if given else Path(__file__).resolve().parents[4] / "openapi"


def journey_names() -> list[str]:
    """Return the names of the shipped journeys."""
    files = (contracts_folder() / "journeys").glob(f"*{SUFFIX}")
    return sorted(file.name.removesuffix(SUFFIX) for file in files)


def summaries() -> dict[str, str]:
    """Return the summary of each shipped journey."""
    return {name: _summary(name) for name in journey_names()}


def load_journey(name: str, file: Path | None = None, proxy: Proxy | None = None) -> Journey:
    """Load a shipped journey, or the workflow ``name`` of a user's ``file``.

    Raises:
        ProbeError: the journey does not exist or is invalid.

    """
    if file is not None:
        return read_journey(file, name, proxy=proxy)
    require_shipped(name)
    return read_journey(shipped_file(name), name, proxy=proxy)


def require_shipped(name: str) -> None:
    """Raise ``ProbeError``, with the names that exist, unless a journey is shipped."""
    names = journey_names()
    if name not in names:
        shipped = ", ".join(names)
        hint = f"shipped journeys: {shipped}" if names else "none are shipped; set CONTRACTS_DIR"
        raise ProbeError(f"there is no journey {name[:100]!r}; {hint}")


def workflow_names(file: Path) -> list[str]:
    """Return the names of the workflows of a user's file.

    Raises:
        ProbeError: the file cannot be read, or is not an Arazzo document.

    """
    document = ArazzoDocument(file, Sources())
    raise_first(document.problems.found)
    return document.workflow_ids


def shipped_file(name: str) -> Path:
    """Return the document of a shipped journey."""
    return contracts_folder() / "journeys" / f"{name}{SUFFIX}"


def _summary(name: str) -> str:
    return ArazzoDocument(shipped_file(name), Sources()).summary(name)
