"""Attacker: a process of low priority that attacks a system until its standard input ends.

It reads a place and the name of an attack as one line of JSON, prints a line when it starts, and at
the end the statuses and its CPU time as JSON.
"""

import json
import os
import resource
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.redteam.attack_list import Place, attacks

NICENESS = 19  # the attacker shares the processors with the system


def main() -> None:
    """Attack, and print the result."""
    order = json.loads(sys.stdin.readline())
    _lower_priority()
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    attack = attacks(Place(**order["place"]))[order["name"]]
    stopping = threading.Event()

    def stop_at_end() -> None:
        sys.stdin.read()
        stopping.set()

    threading.Thread(target=stop_at_end, daemon=True).start()
    print("started", flush=True)
    statuses = attack.run(stopping)
    print(json.dumps({"statuses": statuses, "cpu_seconds": time.process_time()}), flush=True)


def _lower_priority() -> None:
    """Give way to all other processes; Linux may schedule sessions, see sched(7), autogroups."""
    os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS))


if __name__ == "__main__":
    main()
