"""The command `synthetic`: replay journeys against a system, once or on a schedule."""

import argparse
import gc
import sys
from typing import NoReturn

from synthetic.new import command as new_command
from synthetic.probe import check_command, command
from synthetic.standard_output import OutputError, write_output

GC_THRESHOLD = 100_000  # objects; a short run makes fewer


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main() -> int:
    """Run a command and return the exit code."""
    parser, commands = _parsers()
    options = parser.parse_args()
    try:
        return _run(options, commands)
    except OutputError as error:
        sys.stderr.write(f"synthetic {options.command}: {error}\n")
        return 2


def _run(options: argparse.Namespace, commands: dict[str, argparse.ArgumentParser]) -> int:
    if options.command == "probe":
        return _probe(options)
    if options.command == "check":
        return check_command.run(options)
    if options.command == "new":
        return new_command.run(options)
    if options.command == "list":
        return _list()
    if options.command == "operator":
        return _operator(options.settings)
    from synthetic.completion import bash_completion  # noqa: PLC0415 - the probe needs none of it

    write_output(bash_completion(commands))
    return 0


def _probe(options: argparse.Namespace) -> int:
    """Run the probe with little garbage collection, which takes a quarter of a short run's time."""
    gc.set_threshold(GC_THRESHOLD)
    try:
        return command.run(options)
    finally:
        gc.freeze()  # the last collection, at the exit, ignores all objects


def _list() -> int:
    from synthetic.probe.catalog import summaries  # noqa: PLC0415 - the probe needs none of it
    from synthetic.probe.results import ProbeError  # noqa: PLC0415

    try:
        lines = [f"{name:20}{summary}\n" for name, summary in summaries().items()]
    except ProbeError as error:
        sys.stderr.write(f"synthetic list: {error}\n")
        return 2
    write_output("".join(lines))
    return 0


def _operator(only_settings: bool) -> int:  # noqa: FBT001 - an option of the command line
    from synthetic.operator import command as operator  # noqa: PLC0415 - a slow import

    if only_settings:
        write_output(operator.SETTINGS_HELP)
        return 0
    return operator.run()


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = _Parser(prog="synthetic", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    probe = commands.add_parser(
        "probe",
        help="replay a journey",
        description="Replay a journey against a system, validate every response against its "
        "contract, and clean up.",
        epilog="Exit codes: 0 passed, 1 failed, 2 could not run. SSL_CERT_FILE is a file of "
        "trusted CA certificates, CONTRACTS_DIR the folder of contracts and journeys.",
    )
    command.add_arguments(probe)
    check = commands.add_parser(
        "check",
        help="list all mistakes of Arazzo documents",
        description="Check Arazzo documents against the standard and their contracts, without a "
        "server. Each mistake has its file, line and column.",
        epilog="Exit codes: 0 without mistakes, 1 with mistakes, 3 not checked because of "
        "--confined.",
    )
    check_command.add_arguments(check)
    new = commands.add_parser(
        "new",
        help="write first journeys from a contract",
        description="Write Arazzo workflows that create, read, change and delete the resources of "
        "OpenAPI contracts, and list on stderr what is left to fill in.",
        epilog="Exit codes: 0 written, 1 a contract is invalid, 2 an option is wrong.",
    )
    new_command.add_arguments(new)
    commands.add_parser("list", help="list the shipped journeys")
    operator = commands.add_parser(
        "operator",
        help="schedule the monitors of a cluster, and count their runs",
        description="Run the operator until SIGTERM. Its settings are environment variables "
        "(--settings lists them); it uses the pod's cluster, or the one of KUBECONFIG.",
        epilog="Exit codes: 0 after SIGTERM, 78 when a setting is invalid or no cluster is "
        "configured.",
    )
    operator.add_argument("--settings", action="store_true", help="list the settings and exit")
    completion = commands.add_parser(
        "completion", help="print a completion script: source <(synthetic completion bash)"
    )
    completion.add_argument("shell", choices=("bash",))
    return parser, dict(commands.choices)


if __name__ == "__main__":
    sys.exit(main())
