"""Runs of one command: the journeys that it names, with its options."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from synthetic.probe.catalog import load_journey, workflow_names
from synthetic.probe.credentials import gather_credentials
from synthetic.probe.given_inputs import check_sources, gather_inputs, parse_pairs
from synthetic.probe.inputs import input_names
from synthetic.probe.journey import Journey
from synthetic.probe.policy import Policy, parse_severities
from synthetic.probe.results import ProbeError, RunResult
from synthetic.probe.runner import Limits, Runner, RunOptions
from synthetic.probe.signals import Signals
from synthetic.probe.target import parse_target
from synthetic.probe.transport import DIRECT, Transport

if TYPE_CHECKING:
    from synthetic.probe.exchanges import Exchange, ExchangeLog
    from synthetic.probe.secret_inputs import SecretInputs

SUFFIXES = frozenset((".yaml", ".yml", ".json"))

Named = tuple[str, Path | None]  # a journey, and the file that has it


class Batch:
    """The journeys of a command; each one runs with the same options."""

    def __init__(
        self,
        options: argparse.Namespace,
        signals: Signals,
        progress: Callable[[RunResult], None],
    ) -> None:
        """Parse the options.

        Raises:
            ProbeError: an option is invalid.

        """
        self._options = options
        self._journeys: dict[Named, Journey] = {}
        self._signals = signals
        self._progress = progress
        self._target = parse_target(options.url) if options.url is not None else None
        servers = parse_pairs(options.server, "--server")
        self._servers = {name: parse_target(url, "--server") for name, url in servers.items()}
        self._credentials = gather_credentials(
            options.credentials, parse_pairs(options.secret, "--secret")
        )
        self._policy = Policy(parse_severities(options.severity), options.formats)
        self._inputs = parse_pairs(options.input, "--input")
        self._secret_inputs = _secret_inputs(options.inputs_from) if options.inputs_from else None
        self._transport = _transport(options)
        shows_exchanges = options.verbose or options.output == "har"
        self.exchanges = _exchange_log(options.verbose) if shows_exchanges else None

    def describe(self) -> str:
        """Return the requests of all journeys.

        Raises:
            ProbeError: a journey cannot run.

        """
        from synthetic.probe.dry_run import describe_requests  # noqa: PLC0415 - most runs need none

        texts = []
        for named in self._named:
            journey = self._load(named)
            texts.append(describe_requests(journey, self._target, self._run_options(journey)))
        return "\n\n".join(texts)

    def run(self) -> list[RunResult]:
        """Run all journeys; one of several that cannot run has the result error.

        Raises:
            ProbeError: the only journey cannot run.

        """
        if len(self._named) == 1:
            return [self._run(self._named[0])]
        results = []
        for named in self._named:
            try:
                results.append(self._run(named))
            except ProbeError as error:
                failed = RunResult(named[0], os.urandom(16).hex())
                failed.end_with_error(str(error))
                results.append(failed)
        return results

    def _named_journeys(self) -> Iterator[Named]:
        """Yield the journeys; a file stands for all its workflows."""
        for name in self._options.journeys:
            path = Path(name)
            if self._options.file is None and path.suffix in SUFFIXES:
                yield from ((workflow, path) for workflow in workflow_names(path))
            else:
                yield name, self._options.file

    @cached_property
    def _named(self) -> list[Named]:
        """The journeys of the command."""
        return list(self._named_journeys())

    @cached_property
    def _all_inputs(self) -> frozenset[str]:
        """The inputs of all journeys: each one takes those that it has."""
        names: set[str] = set()
        for named in self._named if len(self._named) > 1 else ():
            with suppress(ProbeError):  # its own run reports it
                names |= set(input_names(self._load(named).inputs) or ())
        return frozenset(names)

    def _check_servers(self) -> None:
        try:
            journeys = [self._load(named) for named in self._named]
        except ProbeError:  # its own run reports it
            return
        check_sources(self._servers, journeys)

    def _load(self, named: Named) -> Journey:
        if named not in self._journeys:
            self._journeys[named] = load_journey(*named, self._transport.proxy)
        return self._journeys[named]

    def _run(self, named: Named) -> RunResult:
        journey = self._load(named)
        options = self._run_options(journey)
        given = self._options
        limits = Limits(given.timeout, given.cleanup, given.retries, given.network_wait)
        runner = Runner(
            journey,
            self._target,
            self._credentials,
            limits,
            signals=self._signals,
            progress=self._progress,
            inputs=options.inputs,
            options=options,
        )
        return runner.run()

    def _run_options(self, journey: Journey) -> RunOptions:
        if self._servers:
            self._check_servers()
        secrets = self._secret_inputs
        inputs = gather_inputs(
            journey.inputs,
            self._inputs,
            self._options.inputs,
            elsewhere=self._all_inputs,
            secrets=secrets.texts if secrets else {},
        )
        hosts = secrets.hosts if secrets else None
        return RunOptions(
            inputs, self._servers, self._policy, self.exchanges, hosts, self._transport
        )


def _secret_inputs(folders: list[Path]) -> "SecretInputs":
    from synthetic.probe.secret_inputs import read_secret_inputs  # noqa: PLC0415 - most runs need none

    return read_secret_inputs(folders)


def _transport(options: argparse.Namespace) -> Transport:
    given = (options.proxy, options.proxy_file, options.client_certificate, options.client_key)
    if not options.follow_redirects and given == (None, None, None, None):
        return DIRECT
    from synthetic.probe.transport_options import parse_transport  # noqa: PLC0415 - most runs need none

    return parse_transport(options)


def _exchange_log(is_verbose: bool) -> "ExchangeLog":  # noqa: FBT001 - an option of the command
    from synthetic.probe.exchanges import ExchangeLog  # noqa: PLC0415 - most runs need none

    return ExchangeLog(_print_exchange if is_verbose else None)


def _print_exchange(exchange: "Exchange") -> None:
    from synthetic.probe.exchanges import format_exchange  # noqa: PLC0415 - most runs need none

    sys.stderr.write(f"{format_exchange(exchange)}\n")
