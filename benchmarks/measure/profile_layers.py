"""Where a request's time goes in ours: samples of the worker's stacks under load, by layer."""

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure.sample import follow
from benchmarks.measure.workload import Extent, order
from benchmarks.progress import BenchError, say
from benchmarks.testbed.testbed import Arena
from benchmarks.testbed.variants import OURS, VARIANTS
from benchmarks.testbed.virtualenvs import python_of

RATE = 250  # samples a second
ROWS = 10_000

# A sampler that stops the worker shifts who holds the interpreter: the event loop then seems to
# have half of a fetch, of which its thread uses a fifth by the kernel's count. One that does not
# stop it sees some stacks in the middle of a change; the innermost frame, which decides, is right.
HOW = ("--gil", "--nonblocking", "--full-filenames")

# the innermost frame that matches decides; what belongs to no layer is its caller's
LAYERS = (
    ("uvicorn: the loop and HTTP", r"uvicorn|uvloop|httptools|gunicorn|asyncio"),
    ("the WSGI bridge", r"servicekit/http/(wsgi_bridge|thread_pool)|servicekit/db/timeouts"),
    ("waiting for PostgreSQL, and its driver", r"psycopg2"),
    ("SQLAlchemy", r"sqlalchemy"),
    ("the pool and the statements", r"servicekit/(db|http/idempotency)|/repository"),
    ("authorization", r"servicekit/auth|/jwt/"),
    ("validation", r"servicekit/openapi|jsonschema_rs|/json/"),
    ("rules on documents and money", r"email_validator|validate_docbr|idna|/domain|money"),
    ("the log", r"servicekit/(telemetry/logs|http/access_log)|/logging/"),
    ("Flask and Werkzeug", r"flask|werkzeug|blinker"),
    ("handlers and replies", r"servicekit|/handlers/"),
)


def lines(operations: tuple[str, ...], seconds: float) -> Iterator[str]:
    """Yield a table of layers an operation; raises ``BenchError``."""
    sampler = python_of(Path(__file__).parent / "profiler" / "requirements.lock").with_name(
        "py-spy"
    )
    with Arena() as arena:
        for _ in arena.rows.fill(1, ROWS):
            pass
        arena.start(next(variant for variant in VARIANTS if variant.name == OURS))
        for operation in operations:
            found = _sampled(arena, sampler, operation, seconds)
            total = sum(found.values()) or 1
            yield f"{operation}, of {total} samples"
            yield from (f"  {n / total:5.1%}  {layer}" for layer, n in found.most_common())
            arena.rows.settle(ROWS)


def _sampled(arena: Arena, sampler: Path, operation: str, seconds: float) -> Counter[str]:
    say(f"sampling {operation}")
    worker = arena.process(OURS).children()[0].pid
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as stacks:
        options = ["-d", str(round(seconds)), "-r", str(RATE), "-f", "raw", "-o", stacks.name]
        command = [str(sampler), "record", *HOW, *options, "-p", str(worker)]
        sampling = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        longer = Extent((operation,), 1, seconds + 1, ROWS)
        follow(order(arena, OURS, operation, longer), arena.load_core)
        _, errors = sampling.communicate()
        if sampling.returncode:
            message = f"py-spy may not look at the worker (it wants root or ptrace): {errors!r}"
            raise BenchError(message)
        return by_layer(stacks.read())


def by_layer(stacks: str) -> Counter[str]:
    """Return how many samples of folded stacks (`frame;frame;... count`) fell on each layer."""
    found: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        found[_layer(stack.split(";"))] += int(count)
    return found


def _layer(frames: list[str]) -> str:
    for frame in reversed(frames):
        for name, pattern in LAYERS:
            if re.search(pattern, frame):
                return name
    return "anything else"
