"""pgbench with the same statements, prepared: the limit that the database sets."""

import re
import subprocess
import tempfile

from benchmarks.measure.sample import Sample
from benchmarks.progress import BenchmarkError
from benchmarks.testbed.testbed import Testbed
from devstack.postgres import SUPERUSER
from devstack.postgres_programs import program

_COLUMNS = "id, name, email, cpf, balance, version"

SCRIPTS = {
    "fetch": "\\set id random(1, {rows})\n"
    f"SELECT {_COLUMNS} FROM clients WHERE id = :id AND realm = 'live';\n",
    "list": "\\set after random(0, {rows} - 101)\n"
    f"SELECT {_COLUMNS} FROM clients WHERE realm = 'live' AND id > :after"
    " ORDER BY id LIMIT 101;\n",
    "create": "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
    " VALUES ('live', 'Pessoa', gen_random_uuid()::text, gen_random_uuid()::text,"
    " left(gen_random_uuid()::text, 14), 30.25) RETURNING id;\n",  # unique, as the service's are
    "update": "\\set id random(1, {rows})\n\\set cents random(0, 99999)\n"
    "UPDATE clients SET name = 'Pessoa', balance = :cents, version = version + 1"
    " WHERE id = :id AND realm = 'live' RETURNING version;\n",
}

# Factors on the duration, tried in turn: on a busy machine a short run completes no transaction.
DURATION_FACTORS = (1, 2, 4, 8, 16)

_RATE = re.compile(r"tps = ([0-9.]+) \(without")
_LATENCY = re.compile(r"latency average = ([0-9.]+) ms")


def measure(
    testbed: Testbed, operation: str, *, rows: int, connections: int, seconds: float
) -> Sample:
    """Run an operation's statement on the server core.

    Raises:
        BenchmarkError: pgbench failed, or reported no rate.

    """
    output = ""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SCRIPTS[operation].format(rows=rows))
        script.flush()
        for factor in DURATION_FACTORS:
            duration = max(1, round(seconds)) * factor
            output = _run(testbed, script.name, connections, duration)
            rate, latency = _RATE.search(output), _LATENCY.search(output)
            if rate and latency:
                average = float(latency[1])
                return Sample(float(rate[1]), 0, average, average, server_busy=0, load_busy=0)
    raise BenchmarkError(f"pgbench reported no rate: {output[-500:]}")


def _run(testbed: Testbed, script: str, connections: int, seconds: int) -> str:
    options = ["-n", "-M", "prepared", "-c", str(connections), "-j", "1", "-T", str(seconds)]
    server = ["-h", str(testbed.postgres_folder), "-U", SUPERUSER]
    cores = ["taskset", "-c", str(testbed.server_cores[0])]
    command = [*cores, program("pgbench"), *options, *server, "-f", script, "clients"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"pgbench failed: {done.stderr[-500:]}")
    return done.stdout
