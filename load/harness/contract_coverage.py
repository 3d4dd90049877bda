"""Coverage of the contracts: the operations that a run called with success."""

import os
from pathlib import Path

from load.harness.call_stats import OK, Recording
from load.users.operation_table import OPERATIONS

FOLDER_VARIABLE = "CADASTRO_LEDGER"


def record_coverage(recording: Recording) -> None:
    """Append each operation that succeeded to a file in the folder that the environment names."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return
    called = {
        name.partition("?")[0] for (_, name), calls in recording.cells.items() if calls.outcomes[OK]
    }
    lines = [
        f"load {name} {operation.status}\n"
        for name, operation in OPERATIONS.items()
        if operation.name in called
    ]
    with (Path(folder) / f"{os.getpid()}-load.txt").open("a") as file:
        file.writelines(lines)
