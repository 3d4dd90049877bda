"""Replay a journey: run its workflow, retry a failed run, and clean up."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synthetic.probe.allowed_hosts import AllowedHosts
from synthetic.probe.credentials import Credentials
from synthetic.probe.deadline import Deadline
from synthetic.probe.inputs import generate_inputs
from synthetic.probe.journey import Journey, Step
from synthetic.probe.masking import print_traceback
from synthetic.probe.policy import STRICT, Policy
from synthetic.probe.results import RunResult, StepError, StepResult
from synthetic.probe.runtime_values import Context
from synthetic.probe.servers import Servers
from synthetic.probe.session import Session
from synthetic.probe.signals import Signals, StopRequested
from synthetic.probe.step_runner import StepRunner
from synthetic.probe.target import Target
from synthetic.probe.transport import DIRECT, Transport
from synthetic.probe.workflow_runner import WorkflowRunner

if TYPE_CHECKING:
    from synthetic.probe.exchanges import ExchangeLog

RETRY_DELAY_SECONDS = 1.0  # before the next attempt at the journey
POLL_SECONDS = 0.25  # between two connections while the network may not admit the pod


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of a run in seconds, and the number of its retries."""

    timeout: float = 30.0  # for all attempts together
    cleanup: float = 15.0  # for the clean-up after the attempts
    retries: int = 1
    network_wait: float = 0.0  # in which the network may not admit a new pod


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of one run beside its limits."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    servers: Mapping[str, Target] = field(default_factory=dict)  # by source description
    policy: Policy = STRICT
    recorder: "ExchangeLog | None" = None  # gets every exchange
    input_hosts: AllowedHosts = None  # that may receive secret inputs
    transport: Transport = DIRECT


class Runner:
    """One run of one journey."""

    def __init__(
        self,
        journey: Journey,
        target: Target | None,
        credentials: Credentials | None,
        limits: Limits,
        *,
        signals: Signals,
        progress: Callable[[RunResult], None],
        inputs: Mapping[str, Any] | None = None,
        options: RunOptions | None = None,
    ) -> None:
        """Prepare the run; ``progress`` is called before each step and at the end.

        Without a ``target`` for all operations, those of the options or of the contracts count.

        Raises:
            ProbeError: the journey needs a token, and there are no credentials, or it needs an
                input that ``inputs`` does not have.

        """
        generate_inputs(
            journey.inputs, inputs
        )  # a missing one is an error before the first request
        options = options or RunOptions()
        self._journey = journey
        self._given = inputs
        self._limits = limits
        self._signals = signals
        self._progress = progress
        self._started = time.monotonic()
        self.result = RunResult(journey.name, os.urandom(16).hex())
        self._session = Session(
            journey,
            Servers(target, options.servers),
            credentials,
            self.result.trace_id,
            options.recorder,
            options.input_hosts,
            options.transport,
        )
        self._steps = StepRunner(self.result, self._session, signals, self._report)
        self._steps.policy = options.policy

    def run(self) -> RunResult:
        """Run the journey, clean up, and return the result."""
        run = self.result
        passed = False
        try:
            passed = self._run_attempts()
        except StopRequested:
            run.end_with_error("a signal stopped the run")
        except Exception as error:  # noqa: BLE001 - the clean-up must follow whatever happens
            print_traceback()
            run.end_with_error(f"the probe crashed with {type(error).__name__}")
        self._signals.ignore()
        cleaned = self._clean_up(Deadline(self._limits.cleanup))
        if passed and cleaned:
            run.result, run.step = "passed", ""
        self._session.close()
        self._report()
        return run

    def _run_attempts(self) -> bool:
        network_wait = Deadline(self._limits.network_wait)
        deadline = Deadline(self._limits.timeout)
        for attempt in range(1, self._limits.retries + 2):
            self.result.attempt = attempt
            failed = self._run_once(deadline)
            while failed is not None and self._awaits_network(failed, network_wait):
                self._signals.sleep(POLL_SECONDS)
                self.result.steps.clear()
                self._started = time.monotonic()
                deadline = Deadline(self._limits.timeout)
                failed = self._run_once(deadline)
            if failed is None:
                return True
            if attempt > self._limits.retries or deadline.remaining() < RETRY_DELAY_SECONDS:
                self.result.fail(failed)
                break
            self._signals.sleep(RETRY_DELAY_SECONDS)
        return False

    def _run_once(self, deadline: Deadline) -> StepResult | None:
        """Run the workflow, and return the step that failed."""
        runner = WorkflowRunner(self._journey.workflows, self._steps, deadline)
        inputs = generate_inputs(self._journey.inputs, self._given)
        return runner.run(self._journey.main.key, inputs).failure

    def _awaits_network(self, failed: StepResult, network_wait: Deadline) -> bool:
        """Return whether the network may not admit this pod yet, which is no failed attempt.

        A cluster may start a pod before the policies of its peers know the pod's address
        (https://kubernetes.io/docs/concepts/services-networking/network-policies/, "Pod lifecycle
        and NetworkPolicy changes"). A server that has accepted one connection admits the pod.
        """
        is_network = failed.reason in {"connect", "dns"}
        return is_network and not self._session.has_connected and not network_wait.expired

    def _clean_up(self, deadline: Deadline) -> bool:
        """Run the registered clean-up steps in reverse order; return whether all passed."""
        failed: list[StepResult] = []
        runner = WorkflowRunner(self._journey.workflows, self._steps, deadline)
        while self._steps.cleanups:
            step, context = self._steps.cleanups.pop()
            if self._is_deleted(step, context):
                continue
            result, _ = runner.visit(step, context)
            if result.reason:
                result.detail = f"{result.reason}: {result.detail}"
                result.reason = "teardown"
                failed.append(result)
        if failed and self.result.result == "running":
            self.result.fail(failed[0])
        return not failed

    def _is_deleted(self, step: Step, context: Context) -> bool:
        """Return whether the journey has sent the request of a clean-up step itself."""
        if isinstance(step.call, tuple):
            return False
        try:
            return self._steps.has_succeeded(step, context)
        except StepError:
            return False  # the step itself reports what is wrong

    def _report(self) -> None:
        self.result.certificate_expiry = self._session.certificate_expiry
        self.result.duration_ms = 1000 * (time.monotonic() - self._started)
        self._progress(self.result)
