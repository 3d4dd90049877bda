"""Targets of the benchmarks, as ratios: absolute figures depend on the machine."""

PGBENCH = "pgbench"

# Minimum of our rate divided by the other variant's, by operation and variant.
RATE_RATIOS = {
    ("fetch", "fastapi_sync"): 2,
    ("fetch", "connexion_stock"): 3,
    ("fetch", "fastapi_asyncpg"): 0.65,
    ("fetch", PGBENCH): 0.06,
    ("list", "fastapi_sync"): 3.5,
    ("list", "fastapi_asyncpg"): 1.1,
    ("list", PGBENCH): 0.11,
    ("create", "fastapi_sync"): 2,
    ("create", "connexion_stock"): 4,
    ("create", PGBENCH): 0.18,
    ("update", "fastapi_sync"): 2,
    ("update", "connexion_stock"): 4,
    ("update", PGBENCH): 0.13,
}

MAX_TAIL_RATIO = 3.0  # p99 / p50
MIN_ADD_TO_CREATE = 0.3  # add_product, which calls two other services, against create
MIN_TWO_WORKERS = 1.7  # against one
LARGER_ROWS = 1_000_000
MIN_LARGER_RATE = 1 / 1.1  # on LARGER_ROWS rows, against ten thousand
MAX_WORKER_MB = 100.0
MEMORY_REQUESTS = 100_000  # before memory is measured
MAX_START_SECONDS = 1.0
