"""Profile of a worker under load: stack samples by layer."""

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure.sample import run_load
from benchmarks.measure.workload import Workload
from benchmarks.progress import BenchmarkError, report
from benchmarks.testbed.testbed import Testbed
from benchmarks.testbed.variants import CADASTRO, OURS
from benchmarks.testbed.virtualenvs import python_of

LOCK = Path(__file__).parent / "profiler" / "requirements.lock"
SAMPLES_PER_SECOND = 250
ROWS = 10_000

# A sampler that stops the worker changes which thread holds the GIL: the event loop then seems to
# have half of a fetch, while the kernel counts a fifth. A non-blocking sampler sees some
# inconsistent stacks, but their innermost frame, which selects the layer, is right.
PY_SPY_OPTIONS = ("--gil", "--nonblocking", "--full-filenames")

# The innermost frame that matches selects the layer; other frames belong to their caller's.
LAYERS = (
    ("uvicorn: event loop and HTTP", r"uvicorn|uvloop|httptools|gunicorn|asyncio"),
    ("WSGI bridge", r"servicekit/http/(wsgi_bridge|thread_pool)|servicekit/db/timeouts"),
    ("psycopg2 and waiting for PostgreSQL", r"psycopg2"),
    ("SQLAlchemy", r"sqlalchemy"),
    ("connection pool and statements", r"servicekit/(db|http/idempotency)|/repository"),
    ("authorization", r"servicekit/auth|/jwt/"),
    ("validation", r"servicekit/openapi|jsonschema_rs|/json/"),
    ("validation of documents and money", r"email_validator|validate_docbr|idna|/domain|money"),
    ("access log", r"servicekit/(telemetry/logs|http/access_log)|/logging/"),
    ("Flask and Werkzeug", r"flask|werkzeug|blinker"),
    ("handlers and responses", r"servicekit|/handlers/"),
)


def lines(operations: tuple[str, ...], seconds: float) -> Iterator[str]:
    """Yield a table of layers for each operation.

    Raises:
        BenchmarkError: the profiler failed.

    """
    profiler = python_of(LOCK).with_name("py-spy")
    with Testbed() as testbed:
        testbed.table.fill_all(ROWS)
        testbed.start(CADASTRO)
        for operation in operations:
            layers = _profile(testbed, profiler, operation, seconds)
            total = sum(layers.values()) or 1
            yield f"{operation}, of {total} samples"
            yield from (f"  {n / total:5.1%}  {layer}" for layer, n in layers.most_common())
            testbed.table.restore(ROWS)


def _profile(testbed: Testbed, profiler: Path, operation: str, seconds: float) -> Counter[str]:
    report(f"profiling {operation}")
    worker = testbed.servers.process(OURS).children()[0].pid
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as stacks:
        options = ["-d", str(round(seconds)), "-r", str(SAMPLES_PER_SECOND), "-f", "raw"]
        target = ["-o", stacks.name, "-p", str(worker)]
        command = [str(profiler), "record", *PY_SPY_OPTIONS, *options, *target]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        workload = Workload((operation,), 1, seconds + 1, ROWS)
        run_load(workload.spec(testbed, OURS, operation), testbed.load_core)
        _, errors = process.communicate()
        if process.returncode:
            raise BenchmarkError(
                f"py-spy cannot read the worker (it needs root or ptrace): {errors!r}"
            )
        return by_layer(stacks.read())


def by_layer(stacks: str) -> Counter[str]:
    """Return the samples of each layer, from folded stacks (`frame;frame;... count`)."""
    layers: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        layers[_layer(stack.split(";"))] += int(count)
    return layers


def _layer(frames: list[str]) -> str:
    for frame in reversed(frames):
        for name, pattern in LAYERS:
            if re.search(pattern, frame):
                return name
    return "other"
