"""Load tests of a running Cadastro: `python -m load --help`, or `make load`."""

import sys

from load.harness.cli import main

if __name__ == "__main__":
    sys.exit(main())
