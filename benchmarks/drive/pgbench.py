"""PostgreSQL's own pgbench with the same statements, prepared: what the database itself allows."""

import re
import subprocess
import tempfile

from benchmarks.measure.sample import Sample
from benchmarks.progress import BenchError
from benchmarks.testbed.testbed import Arena
from devstack.postgres import SUPERUSER, program

_COLUMNS = "id, name, email, cpf, balance, version"

SCRIPTS = {
    "fetch": "\\set id random(1, {rows})\n"
    f"SELECT {_COLUMNS} FROM clients WHERE id = :id AND realm = 'live';\n",
    "list": "\\set after random(0, {rows} - 101)\n"
    f"SELECT {_COLUMNS} FROM clients WHERE realm = 'live' AND id > :after"
    " ORDER BY id LIMIT 101;\n",
    "create": "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
    " VALUES ('live', 'Pessoa', gen_random_uuid()::text, gen_random_uuid()::text,"
    " left(gen_random_uuid()::text, 14), 30.25) RETURNING id;\n",  # unique, as ours are
    "update": "\\set id random(1, {rows})\n\\set cents random(0, 99999)\n"
    "UPDATE clients SET name = 'Pessoa', balance = :cents, version = version + 1"
    " WHERE id = :id AND realm = 'live' RETURNING version;\n",
}

LONGER = (1, 2, 4, 8, 16)  # times as long, while nothing comes of it on a machine that others use

_RATE = re.compile(r"tps = ([0-9.]+) \(without")
_LATENCY = re.compile(r"latency average = ([0-9.]+) ms")


def limit(arena: Arena, operation: str, *, rows: int, connections: int, seconds: float) -> Sample:
    """Run an operation's statement on the server's core; raises ``BenchError``."""
    output = ""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SCRIPTS[operation].format(rows=rows))
        script.flush()
        for longer in LONGER:
            duration = max(1, round(seconds)) * longer
            output = _run(arena, script.name, connections, duration)
            rate, latency = _RATE.search(output), _LATENCY.search(output)
            if rate and latency:
                average = float(latency[1])
                return Sample(float(rate[1]), 0, average, average, server_busy=0, load_busy=0)
    message = f"pgbench said nothing of its rate: {output[-500:]}"
    raise BenchError(message)


def _run(arena: Arena, script: str, connections: int, seconds: int) -> str:
    options = ["-n", "-M", "prepared", "-c", str(connections), "-j", "1", "-T", str(seconds)]
    where = ["-h", str(arena.postgres_folder), "-U", SUPERUSER]
    cores = ["taskset", "-c", str(arena.server_cores[0])]
    command = [*cores, program("pgbench"), *options, *where, "-f", script, "clients"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"pgbench failed: {done.stderr[-500:]}"
        raise BenchError(message)
    return done.stdout
