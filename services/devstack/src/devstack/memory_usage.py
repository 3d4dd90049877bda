"""How much memory a run uses: the proportional set size (PSS) of all its processes."""

import sys
from pathlib import Path

import psutil

MIB = 1024 * 1024


class NothingRunsError(Exception):
    """No run uses the data folder; the message says how to start one."""


def processes(data: Path) -> list[psutil.Process]:
    """Return the processes of the run that uses ``data``; raises ``NothingRunsError``."""
    try:
        root = psutil.Process(int((data / "lock").read_text()))
    except (OSError, ValueError, psutil.NoSuchProcess):
        message = f"nothing runs on {data}; start it with: make run DATA={data}"
        raise NothingRunsError(message) from None
    return [root, *root.children(recursive=True)]


def main(data: Path) -> int:
    """Print a table of the processes of the run that uses ``data``."""
    try:
        found = processes(data)
    except NothingRunsError as error:
        sys.stderr.write(f"cadastro: {error}\n")
        return 1
    total = 0
    for process in found:
        pss = process.memory_full_info().pss
        total += pss
        print(f"{pss / MIB:8.1f} MiB  {' '.join(process.cmdline())[:100]}")
    print(f"{total / MIB:8.1f} MiB  in all")
    return 0
