"""One run: client ceiling, load, verification, cleanup, evaluation and report."""

import contextlib
import secrets
import time
from pathlib import Path

import httpx

from load.harness import client_ceiling, thresholds
from load.harness import report as run_report
from load.harness.cleanup import delete_rows
from load.harness.comparison import Difference, compare
from load.harness.contract_coverage import record_coverage
from load.harness.locust_process import run_locust
from load.harness.progress import report
from load.harness.run_config import RunConfig, RunError
from load.harness.run_result import RunResult, RunResultError
from load.harness.system_client import SystemClient
from load.harness.verification import verify_inventories
from load.users.token_provider import LoginError

RESULT_FILE = "run.json"


def report_folder(reports: Path, name: str) -> Path:
    """Return the folder of a run's reports: time and name."""
    return reports / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{name}"


def execute(config: RunConfig, folder: Path) -> RunResult:
    """Run the load, verify the data, delete it, and save the result in ``folder``.

    Raises:
        RunError: Locust failed, or rows are left.

    """
    folder.mkdir(parents=True, exist_ok=True)
    ceiling = _measure_ceiling() if config.measure_ceiling else 0.0
    run_id = f"load-{secrets.token_hex(4)}"
    system = SystemClient(config.url, config.secret_file)
    try:
        result = RunResult.from_json(run_locust(config, folder, run_id))
        result.client_ceiling = ceiling
        result.save(folder / RESULT_FILE)  # kept even when the verification fails
        result.consistency = verify_inventories(system, result.bounds)
        result.save(folder / RESULT_FILE)
    except BaseException:
        with contextlib.suppress(RunError):  # the first error is the one to report
            _clean_up(system, run_id)
        raise
    _clean_up(system, run_id)
    record_coverage(result.recording)
    return result


def write_report(result: RunResult, folder: Path, earlier: Path | None) -> list[thresholds.Check]:
    """Evaluate a run, write its reports, and return the checks that missed."""
    checks = thresholds.evaluate(result, thresholds.load_thresholds(result.plan.shape))
    differences: list[Difference] = []
    if earlier is not None:
        differences = compare(RunResult.load(earlier), result)
    run_report.write(folder, result, checks, differences)
    return [check for check in checks if not check.passed]


def find_earlier_run(reports: Path, config: RunConfig) -> Path | None:
    """Return the newest saved run of the same shape against the same system, if there is one."""
    for path in sorted(reports.glob(f"*/{RESULT_FILE}"), reverse=True):
        try:
            result = RunResult.load(path)
        except RunResultError:
            continue
        if (result.plan.shape, result.url) == (config.shape, config.url):
            return path
    return None


def _measure_ceiling() -> float:
    report("measuring the load generator itself")
    ceiling = client_ceiling.measure()
    report(f"{ceiling:.0f} calls a second against a static response")
    return ceiling


def _clean_up(system: SystemClient, run_id: str) -> None:
    try:
        report(f"deleted {delete_rows(system, run_id)} rows")
    except (LoginError, httpx.HTTPError) as error:
        raise RunError(
            f"rows are left ({error}): delete them with python -m load clean {run_id}"
        ) from error
