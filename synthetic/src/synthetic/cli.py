"""`synthetic`: replays journeys against a system, once or by monitors."""

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
    if options.command == "operator":
        return _operator(options.settings)
    from synthetic.completion import bash_completion  # noqa: PLC0415 - the probe needs none of it

    print(bash_completion(commands), end="")
    return 0


def _list() -> int:
    from synthetic.probe.catalog import summaries  # noqa: PLC0415 - the probe needs none of it
    from synthetic.probe.results import ProbeError  # noqa: PLC0415

    try:
        for name, summary in summaries().items():
            print(f"{name:20}{summary}")
    except ProbeError as error:
        sys.stderr.write(f"synthetic list: {error}\n")
        return 2
    return 0


def _operator(only_settings: bool) -> int:  # noqa: FBT001 - an option of the command line
    from synthetic.operator import command as operator  # noqa: PLC0415 - it loads much

    if only_settings:
        print(operator.SETTINGS_HELP, end="")
        return 0
    return operator.run()


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
    operator = commands.add_parser(
        "operator",
        help="schedule the monitors of a cluster, and count their runs",
        description="Runs the operator until SIGTERM. It is set by environment variables, which "
        "--settings lists; the cluster is that of the pod, or of KUBECONFIG.",
        epilog="Exit codes: 0 it was told to end, 78 it cannot start: a setting is wrong, or "
        "there is no cluster.",
    )
    operator.add_argument("--settings", action="store_true", help="list the settings, and end")
    completion = commands.add_parser(
        "completion", help="print a completion script: source <(synthetic completion bash)"
    )
    completion.add_argument("shell", choices=("bash",))
    return parser, dict(commands.choices)


if __name__ == "__main__":
    sys.exit(main())
