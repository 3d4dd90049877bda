"""How fast is fast enough, as ratios: absolute figures belong to one machine."""

from dataclasses import dataclass

PGBENCH = "pgbench"


@dataclass(frozen=True)
class Goal:
    """Ours is at least ``factor`` times as fast as another at an operation."""

    operation: str
    beside: str
    factor: float


GOALS = (
    Goal("fetch", "fastapi_sync", 2),
    Goal("fetch", "connexion_stock", 3),
    Goal("fetch", "fastapi_asyncpg", 0.65),
    Goal("fetch", PGBENCH, 0.06),
    Goal("list", "fastapi_sync", 3.5),
    Goal("list", "fastapi_asyncpg", 1.1),
    Goal("list", PGBENCH, 0.11),
    Goal("create", "fastapi_sync", 2),
    Goal("create", "connexion_stock", 4),
    Goal("create", PGBENCH, 0.18),
    Goal("update", "fastapi_sync", 2),
    Goal("update", "connexion_stock", 4),
    Goal("update", PGBENCH, 0.13),
)

WIDEST_TAIL = 3.0  # p99 over p50
ADD_TO_CREATE = 0.3  # add_product, which asks two other services, over create
TWO_WORKERS = 1.7  # over one
MILLION = 1_000_000  # rows
SLOWER_ON_A_MILLION = 1.1  # times as long as on ten thousand
LARGEST_WORKER = 100.0  # MB
REQUESTS = 100_000  # before memory is looked at
LONGEST_START = 1.0  # seconds


def goal(operation: str, beside: str) -> float | None:
    """Return the factor that is wanted, if there is one."""
    wanted = [g.factor for g in GOALS if (g.operation, g.beside) == (operation, beside)]
    return wanted[0] if wanted else None
