"""Which services there are, what each answers, and what it keeps: read where it is said."""

from collections.abc import Iterator
from pathlib import Path

from devstack.postgres import Postgres
from servicekit.openapi.specification import load_contract

ROOT = Path(__file__).resolve().parents[4]  # it runs from a checkout
CONTRACTS = ROOT / "openapi"

# a service has a contract, and with it a package, an image, a chart and a database of its name
SERVICES = tuple(sorted(path.stem for path in CONTRACTS.glob("*.yaml")))
ISSUER = "auth"  # whose keys the others trust
PEERS = tuple(name for name in SERVICES if name != ISSUER)

_OF_REALMS = """
SELECT table_name, bool_or(column_name = 'expires_at') FROM information_schema.columns
WHERE table_schema = 'public' GROUP BY table_name
HAVING bool_or(column_name = 'realm') AND bool_or(column_name = 'id') ORDER BY table_name
"""


def relays() -> Iterator[str]:
    """Yield the services that have a process which tells others."""
    for name in SERVICES:
        if (ROOT / "services" / name / "src" / name / "relay.py").is_file():
            yield name


def routes() -> dict[str, tuple[str, ...]]:
    """Return the first segments of the paths that each service answers."""
    return {name: tuple(sorted(_segments(CONTRACTS / f"{name}.yaml"))) for name in SERVICES}


def tables(server: Postgres, service: str) -> dict[str, bool]:
    """Return a service's tables whose rows have an id and a realm, and whether rows expire."""
    return {str(name): bool(ages) for name, ages in server.execute(_OF_REALMS, database=service)}


def _segments(contract: Path) -> set[str]:
    return {"/" + path.split("/")[1] for path in load_contract(contract)["paths"]}
