"""The services of the repository, with their contracts, routes, relays and tables."""

from collections.abc import Iterator
from pathlib import Path

from devstack.server import Server
from servicekit.openapi.contract import load_contract

ROOT = Path(__file__).resolve().parents[4]  # of a checkout
CONTRACTS = ROOT / "openapi"

# each contract has a package, an image, a chart and a database of the same name
SERVICES = tuple(sorted(path.stem for path in CONTRACTS.glob("*.yaml")))
AUTH_SERVICE = "auth"
RESOURCE_SERVICES = tuple(name for name in SERVICES if name != AUTH_SERVICE)

_TABLES_WITH_REALM = """
SELECT table_name, bool_or(column_name = 'expires_at') FROM information_schema.columns
WHERE table_schema = 'public' GROUP BY table_name
HAVING bool_or(column_name = 'realm') AND bool_or(column_name = 'id') ORDER BY table_name
"""


def relays() -> Iterator[str]:
    """Yield the services that have a relay process."""
    for name in SERVICES:
        if (ROOT / "services" / name / "src" / name / "relay.py").is_file():
            yield name


def routes() -> dict[str, tuple[str, ...]]:
    """Return the first path segments of each service."""
    return {name: tuple(sorted(_segments(CONTRACTS / f"{name}.yaml"))) for name in SERVICES}


def tables(server: Server, service: str) -> dict[str, bool]:
    """Return the tables of a service with an id and a realm, and whether their rows expire."""
    rows = server.execute(_TABLES_WITH_REALM, database=service)
    return {str(name): bool(has_expiry) for name, has_expiry in rows}


def _segments(contract: Path) -> set[str]:
    return {"/" + path.split("/")[1] for path in load_contract(contract)["paths"]}
