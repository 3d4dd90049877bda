"""Memory usage of a running system: the proportional set size (PSS) of its processes."""

import sys
from pathlib import Path

import psutil

MIB = 1024 * 1024


class NotRunningError(Exception):
    """No system uses the data folder; the message has the command that starts one."""


def processes(data: Path) -> list[psutil.Process]:
    """Return the processes of the system on ``data``; raise ``NotRunningError`` without one."""
    try:
        root = psutil.Process(int((data / "lock").read_text()))
    except (OSError, ValueError, psutil.NoSuchProcess):
        raise NotRunningError(
            f"nothing runs on {data}; start it with: make run DATA={data}"
        ) from None
    return [root, *root.children(recursive=True)]


def main(data: Path) -> int:
    """Print a table of the processes of the system on ``data``."""
    try:
        found = processes(data)
    except NotRunningError as error:
        sys.stderr.write(f"cadastro: {error}\n")
        return 1
    total = 0
    for process in found:
        pss = process.memory_full_info().pss
        total += pss
        print(f"{pss / MIB:8.1f} MiB  {' '.join(process.cmdline())[:100]}")
    print(f"{total / MIB:8.1f} MiB  in total")
    return 0
