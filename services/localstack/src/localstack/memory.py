"""How much memory a run uses: the proportional set size (PSS) of all its processes."""

import sys
from pathlib import Path

import psutil

MIB = 1024 * 1024


def main(data: Path) -> int:
    """Print a table of the processes of the run that uses ``data``."""
    lock = data / "lock"
    try:
        root = psutil.Process(int(lock.read_text()))
    except (OSError, ValueError, psutil.NoSuchProcess):
        sys.stderr.write(f"cadastro: nothing runs on {data}; start it with: make run DATA={data}\n")
        return 1
    total = 0
    for process in [root, *root.children(recursive=True)]:
        pss = process.memory_full_info().pss
        total += pss
        print(f"{pss / MIB:8.1f} MiB  {' '.join(process.cmdline())[:100]}")
    print(f"{total / MIB:8.1f} MiB  in all")
    return 0
