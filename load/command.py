"""Load on a running Cadastro: `python load/command.py --help`, or `make load`."""

import sys

from harness.cli import main

if __name__ == "__main__":
    sys.exit(main())
