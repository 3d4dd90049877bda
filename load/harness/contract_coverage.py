"""The ledger of coverage: which operations the load has seen answered as they should be."""

import os
from pathlib import Path

from load.harness.recording import OK, Recording
from load.users.operations import OPERATIONS

FOLDER = "CADASTRO_LEDGER"


def note(recording: Recording) -> None:
    """Note each operation that was answered well in the folder that the environment names."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    called = {
        name.partition("?")[0] for (_, name), cell in recording.cells.items() if cell.outcomes[OK]
    }
    lines = [
        f"load {name} {operation.status}\n"
        for name, operation in OPERATIONS.items()
        if operation.name in called
    ]
    with (Path(folder) / f"{os.getpid()}-load.txt").open("a") as file:
        file.writelines(lines)
