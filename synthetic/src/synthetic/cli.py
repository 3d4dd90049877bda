"""The command `synthetic`: replay journeys against a system, once or on a schedule."""

import argparse
import gc
import sys
from collections.abc import Callable
from typing import NoReturn

from synthetic.new import command as new_command
from synthetic.probe import check_command, command
from synthetic.standard_output import OutputError, write_output

INTERRUPTED = 130  # as shells report SIGINT
GC_THRESHOLD = 100_000  # objects; a short run makes fewer
MONITOR_COMMANDS = {
    "monitors": "list the monitors of a cluster with their health",
    "explain": "explain the last failures of a monitor",
    "run": "start a run of a monitor",
    "suspend": "suspend the scheduled runs of a monitor",
    "resume": "resume the scheduled runs of a monitor",
}
RUN_TIMEOUT_SECONDS = 600.0


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main() -> int:
    """Run a command and return the exit code."""
    parser = _parser()
    options = parser.parse_args()
    return _guarded(lambda: _run(options, parser), f"synthetic {options.command}")


def kubectl_main() -> int:
    """Run a command of the plugin `kubectl synmon`, and return the exit code."""
    parser = _Parser(
        prog="kubectl synmon", description="Inspect and run the synthetic monitors of a cluster."
    )
    _add_monitor_commands(parser.add_subparsers(dest="command", required=True))
    options = parser.parse_args()
    return _guarded(lambda: _monitors(options), f"kubectl synmon {options.command}")


def _guarded(run: Callable[[], int], program: str) -> int:
    """Return the exit code of a command, also without an output or after Ctrl-C."""
    try:
        return run()
    except OutputError as error:
        sys.stderr.write(f"{program}: {error}\n")
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    runners = {
        "probe": _probe,
        "check": check_command.run,
        "new": new_command.run,
        "list": _list,
        "operator": _operator,
        **dict.fromkeys(MONITOR_COMMANDS, _monitors),
    }
    if options.command in runners:
        return runners[options.command](options)
    from synthetic.completion import completion  # noqa: PLC0415 - the probe needs none of it

    write_output(completion(parser, options.shell))
    return 0


def _probe(options: argparse.Namespace) -> int:
    """Run the probe with little garbage collection, which takes a quarter of a short run's time."""
    gc.set_threshold(GC_THRESHOLD)
    try:
        return command.run(options)
    finally:
        gc.freeze()  # the last collection, at the exit, ignores all objects


def _list(_: argparse.Namespace) -> int:
    from synthetic.probe.catalog import summaries  # noqa: PLC0415 - the probe needs none of it
    from synthetic.probe.results import ProbeError  # noqa: PLC0415

    try:
        lines = [f"{name:20}{summary}\n" for name, summary in summaries().items()]
    except ProbeError as error:
        sys.stderr.write(f"synthetic list: {error}\n")
        return 2
    write_output("".join(lines))
    return 0


def _operator(options: argparse.Namespace) -> int:
    from synthetic.operator import command as operator  # noqa: PLC0415 - a slow import

    if options.settings:
        write_output(operator.SETTINGS_HELP)
        return 0
    return operator.run()


def _monitors(options: argparse.Namespace) -> int:
    from synthetic.monitors import command as monitors  # noqa: PLC0415 - a slow import

    if options.command == "run":
        if options.timeout is not None and not options.wait:
            message = "--timeout has no effect without --wait: add --wait"
            sys.stderr.write(f"{options.program}: {message}\n")
            return 2
        options.timeout = options.timeout or RUN_TIMEOUT_SECONDS
    return monitors.run(options)


def _parser() -> argparse.ArgumentParser:
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
    _add_monitor_commands(commands)
    completion = commands.add_parser(
        "completion", help="print a completion script: source <(synthetic completion bash)"
    )
    completion.add_argument("shell", choices=("bash", "zsh"))
    return parser


def _add_monitor_commands(commands: "argparse._SubParsersAction[_Parser]") -> None:
    for name, summary in MONITOR_COMMANDS.items():
        verdict = "0 done, 2 could not"
        if name == "run":
            verdict = "0 requested, or passed with --wait; 1 failed; 2 could not run, or no result"
        each = commands.add_parser(
            name,
            help=summary,
            description=f"{summary.capitalize()}, as the user of the kubeconfig.",
            epilog=f"Exit codes: {verdict}.",
        )
        each.set_defaults(program=each.prog)
        if name == "monitors":
            each.add_argument("-A", "--all-namespaces", action="store_true")
        else:
            each.add_argument("monitor", metavar="MONITOR")
        each.add_argument("-n", "--namespace", default="", help="default: that of the context")
        each.add_argument("--context", default="", help="default: the current one")
        each.add_argument("--kubeconfig", default="", help="default: $KUBECONFIG, ~/.kube/config")
        if name == "run":
            each.add_argument("--wait", action="store_true", help="wait for the result")
            each.add_argument(
                "--location", default="", metavar="NAME", help="default: all of the monitor"
            )
            each.add_argument(
                "--timeout",
                type=command.seconds,
                metavar="SECONDS",
                help=f"of --wait ({RUN_TIMEOUT_SECONDS:g})",
            )


if __name__ == "__main__":
    sys.exit(main())
