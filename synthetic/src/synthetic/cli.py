"""`synthetic`: replays journeys against a system."""

import argparse
import sys
from typing import NoReturn

from synthetic.probe import command


class _Parser(argparse.ArgumentParser):
    """A parser whose refusals are one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main() -> int:
    """Run a command and return the exit code."""
    parser, commands = _parsers()
    options = parser.parse_args()
    if options.command == "probe":
        return command.run(options)
    if options.command == "list":
        return _list()
    from synthetic.completion import bash_completion  # noqa: PLC0415 - the probe needs none of it

    print(bash_completion(commands), end="")
    return 0


def _list() -> int:
    from synthetic.probe.library import summaries  # noqa: PLC0415 - the probe needs none of it
    from synthetic.probe.outcome import UsageError  # noqa: PLC0415

    try:
        for name, summary in summaries().items():
            print(f"{name:20}{summary}")
    except UsageError as error:
        sys.stderr.write(f"synthetic list: {error}\n")
        return 2
    return 0


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = _Parser(prog="synthetic", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    probe = commands.add_parser(
        "probe",
        help="replay a journey",
        description="Replays a journey against a system, checks every answer against its contract, "
        "and cleans up.",
        epilog="Exit codes: 0 passed, 1 failed, 2 could not run. SSL_CERT_FILE names the "
        "authorities that are trusted, CONTRACTS_DIR the folder of contracts and journeys.",
    )
    command.add_arguments(probe)
    commands.add_parser("list", help="name the journeys that ship")
    completion = commands.add_parser(
        "completion", help="print a completion script: source <(synthetic completion bash)"
    )
    completion.add_argument("shell", choices=("bash",))
    return parser, dict(commands.choices)


if __name__ == "__main__":
    sys.exit(main())
