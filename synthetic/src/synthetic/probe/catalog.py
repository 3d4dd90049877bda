"""The journeys and the contracts that ship."""

import os
from pathlib import Path

from synthetic.probe.journey import Journey, read_document, read_journey
from synthetic.probe.results import ProbeError

SUFFIX = ".arazzo.yaml"


def contracts_folder() -> Path:
    """Return the folder of contracts: CONTRACTS_DIR, or that of the checkout we run from."""
    given = os.environ.get("CONTRACTS_DIR")
    return Path(given) if given else Path(__file__).resolve().parents[4] / "openapi"


def journey_names() -> list[str]:
    """Return the names of the journeys that ship."""
    files = (contracts_folder() / "journeys").glob(f"*{SUFFIX}")
    return sorted(file.name.removesuffix(SUFFIX) for file in files)


def summaries() -> dict[str, str]:
    """Return what each journey that ships is about."""
    return {name: _summary(name) for name in journey_names()}


def load_journey(name: str, file: Path | None = None) -> Journey:
    """Read a journey that ships, or the workflow ``name`` of a user's own ``file``.

    Raises:
        UsageError: there is no such journey, or it cannot be read.

    """
    if file is not None:
        return read_journey(file, name, lambda url: _locate_contract(url, file.parent))
    names = journey_names()
    if name not in names:
        known = f"these ship: {', '.join(names)}" if names else "none ship; set CONTRACTS_DIR"
        raise ProbeError(f"there is no journey {name[:100]!r}; {known}")
    path = _shipped_file(name)
    return read_journey(path, name, lambda url: path.parent / url)


def _shipped_file(name: str) -> Path:
    return contracts_folder() / "journeys" / f"{name}{SUFFIX}"


def _summary(name: str) -> str:
    workflows = read_document(_shipped_file(name))["workflows"]
    return str(next(w.get("summary", "") for w in workflows if w["workflowId"] == name))


def _locate_contract(url: str, folder: Path) -> Path:
    """Return a contract beside a user's file, or else the one of that name that ships."""
    if "://" in url:
        raise ProbeError(f"the contract {url} is not fetched: put it beside the journey")
    beside = folder / url
    shipped = contracts_folder() / f"{Path(url).name.removesuffix('.yaml')}.yaml"
    if not beside.exists() and not shipped.exists():
        raise ProbeError(f"the contract {url} is neither beside the journey nor one that ships")
    return beside if beside.exists() else shipped
