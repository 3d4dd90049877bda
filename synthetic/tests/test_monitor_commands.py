"""Commands for the monitors of a cluster: tables, explanations, requested runs, exit codes."""

import asyncio
import json
import re
import sys
from importlib.metadata import entry_points
from unittest import mock

import pytest

from synthetic.operator.release_monitors import sync
from synthetic.operator.resources import CONFIG_MAPS, PODS, Object
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.object_api import command, synthetic
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness
from tests.support.synthetic.webhook_harness import Webhook
from tests.support.synthetic.webhook_harness import failing as failed

pytestmark = pytest.mark.anyio

EVIDENCE = {"condition": "$response.body#/n == 2", "left": "1", "right": "2"}
FAILED = termination_message("failed", reason="assertion", status=200, evidence=EVIDENCE)
STEPS = [
    {"stepId": "login", "status": 200, "durationMs": 12.5, "reason": "", "detail": ""},
    {"stepId": "read", "status": 200, "durationMs": 3.1, "reason": "assertion", "detail": "no 2"},
]


async def failing(harness: OperatorHarness) -> None:
    """Create a monitor whose last run has failed, with its log."""
    harness.add_monitor(schedule="0 9 * * *", thresholds={"failures": 1, "outOf": 1})
    harness.finish_run("job-1", FAILED, ended="Failed")
    label_pods(harness)
    harness.cluster.logs["job-1-x"] = f"first \x1b[31mline\n{json.dumps({'steps': STEPS})}\n"
    await harness.reconcile()


def label_pods(harness: OperatorHarness) -> None:
    """Give each pod the name of its Job, as Kubernetes does."""
    for found in harness.cluster.list_kind("pods"):
        labels = found["metadata"]["labels"]
        name = found["metadata"]["name"].removesuffix("-x")
        found["metadata"]["labels"] = {**labels, "batch.kubernetes.io/job-name": name}


async def test_explains_a_failing_monitor(harness: OperatorHarness) -> None:
    await failing(harness)
    done = await command("explain", "shop")
    assert (done.code, done.stderr) == (0, "")
    sections = re.split(r"\n(?=\w[^\n]*:\n)", done.stdout)
    summary, conditions, failures, log, runs = sections
    assert re.search(r"^Monitor: +here/shop$", summary, re.MULTILINE)
    assert re.search(r"^  Healthy +\w+ +\w+", conditions, re.MULTILINE)
    assert failures.splitlines()[1:] == [
        "  2026-01-31T09:00:05Z failed: createClient assertion 200",
        "    $response.body#/n == 2 (left 1, right 2)",
        f"    Job job-1, trace {'0' * 31}1",
    ]
    assert log.splitlines() == [
        "Log of job-1:",
        "  first \\x1b[31mline",
        "  login  200  12.5 ms  passed",
        "  read   200  3.1 ms   assertion: no 2",
    ]
    assert re.fullmatch(r"Next runs:\n(  20\d\d-\d\d-\d\dT09:00:00Z\n){3}", runs)


async def test_explains_that_the_next_run_is_after_a_pause(harness: OperatorHarness) -> None:
    window = {"start": "2026-01-31T00:00:00Z", "end": "2098-06-01T00:00:00Z", "runs": "Pause"}
    harness.add_monitor(schedule="0 9 * * *", maintenance=[{"reason": "Upgrade", **window}])
    await harness.reconcile()
    done = await command("explain", "shop")
    assert re.search(r"^State: +maintenance$", done.stdout, re.MULTILINE)
    assert "Upgrade (until 2098-06-01T00:00:00Z, spec.maintenance[0])" in done.stdout
    assert "Next runs:\n  2098-06-01T09:00:00Z\n" in done.stdout


@pytest.mark.parametrize("zone", ["Etc/UTC", "Pacific/Kiritimati"])
async def test_explains_that_no_run_is_after_a_pause_without_end(
    harness: OperatorHarness, zone: str
) -> None:
    window = {"start": "2026-01-31T00:00:00Z", "end": "9999-12-31T23:59:59Z", "runs": "Pause"}
    windows = [{"reason": "Frozen", **window}]
    harness.add_monitor(schedule="0 9 * * *", timeZone=zone, maintenance=windows)
    await harness.reconcile()
    done = await command("explain", "shop")
    assert (done.code, done.stderr) == (0, "")
    assert "it does not fire again before the year 10000" in done.stdout


async def test_explains_a_monitor_without_runs_and_without_an_operator(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(suspend=True)
    done = await command("explain", "shop", "--namespace", NAMESPACE)
    assert done.code == 0
    assert "no operator has seen it" in done.stdout
    assert "Next runs:\n  none: suspended" in done.stdout
    assert "Log of" not in done.stdout


async def test_explains_that_a_monitor_that_is_not_ready_has_no_next_run(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(journey="clients-cruds")
    await harness.reconcile()
    done = await command("explain", "shop")
    assert "Next runs:\n  none: the condition Ready has the cause\n" in done.stdout


async def test_explains_which_notification_failed(hook: Webhook) -> None:
    hook.status = 500
    await failed(hook, schedule="0 0 * * *")
    assert "Failed notifications" not in (await command("explain", "shop")).stdout
    await hook.settle()
    assert (
        "Failed notifications, the newest first:\n"
        "  2026-01-31T09:05:07Z ops: the receiver responded with 500\n"
        "    attempt 1, the next one at 2026-01-31T09:05:22Z\n"
    ) in (await command("explain", "shop")).stdout
    hook.status = 200
    await hook.at(60)
    await hook.settle()
    assert "Failed notifications" not in (await command("explain", "shop")).stdout


@pytest.mark.parametrize(
    ("change", "text"),
    [("deleted", "gone with its pod"), ("waiting", "gone with its pod"), ("forbidden", "not read")],
    ids=["deleted", "waiting", "forbidden"],
)
async def test_a_log_that_cannot_be_read_is_no_error(
    harness: OperatorHarness, change: str, text: str
) -> None:
    await failing(harness)
    if change == "deleted":
        harness.delete(PODS, "job-1-x")
    elif change == "waiting":
        harness.cluster.logs.clear()
    else:
        harness.cluster.fail("GET", "*/log", 403)
    done = await command("explain", "shop")
    assert (done.code, text in done.stdout) == (0, True)


async def test_lists_monitors_with_their_health(harness: OperatorHarness) -> None:
    assert (await command("monitors")).stdout == "There are no monitors\n"
    await failing(harness)
    header, row = (await command("monitors", "-A")).stdout.splitlines()
    assert header.split()[:4] == ["NAMESPACE", "NAME", "JOURNEY", "STATE"]
    assert row.split()[:6] == ["here", "shop", "clients-crud", "down", "Failing", "failed"]
    assert (await command("monitors", "-n", "other")).stdout == "There are no monitors\n"


async def test_suspends_and_resumes_a_monitor(harness: OperatorHarness) -> None:
    harness.add_monitor()
    for name, suspended in (("suspend", True), ("resume", False)):
        done = await command(name, "shop")
        assert (done.code, done.stdout) == (0, f"here/shop {name.rstrip('e')}ed\n")
        assert harness.monitor["spec"]["suspend"] is suspended


@pytest.mark.parametrize("given", [{}, {"suspend": False}], ids=["unset", "set"])
async def test_the_values_of_a_release_take_precedence_over_a_suspension(
    harness: OperatorHarness, given: Object
) -> None:
    spec = {"journey": "clients-crud", "target": {"url": "https://a.example"}, **given}
    values = {"metadata": {"name": "m", "namespace": NAMESPACE}, "data": {"shop": json.dumps(spec)}}
    harness.add(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", **values})
    await sync(harness.api, NAMESPACE, "m")
    done = await command("suspend", "shop")
    assert (done.code, done.stdout.splitlines()[0]) == (0, "here/shop suspended")
    assert "a Helm release defines this monitor" in done.stdout
    await sync(harness.api, NAMESPACE, "m")
    assert harness.monitor["spec"]["suspend"] is given.get("suspend", True)
    (found,) = harness.cluster.list_kind("configmaps")
    harness.change(CONFIG_MAPS, {**found, "data": {"shop": json.dumps({**spec, "retries": 0})}})
    await sync(harness.api, NAMESPACE, "m")
    assert not harness.monitor["spec"].get("suspend")


@pytest.mark.parametrize("name", ["explain", "run", "suspend", "resume"])
async def test_a_missing_monitor_is_named(harness: OperatorHarness, name: str) -> None:
    harness.add_monitor()
    done = await command(name, "lost", "-n", "there")
    assert done.code == 2
    assert done.stderr.startswith(f"synthetic {name}: there is no monitor 'lost' in the namespace")


@pytest.mark.parametrize("name", ["explain", "run", "suspend", "resume"])
@pytest.mark.parametrize(
    ("monitor", "namespace", "message"),
    [
        ("", NAMESPACE, "'' is no name of a monitor"),
        ("../../configmaps/m", NAMESPACE, "'../../configmaps/m' is no name of a monitor"),
        ("Shop", NAMESPACE, "'Shop' is no name of a monitor"),
        ("a..b", NAMESPACE, "'a..b' is no name of a monitor"),
        ("a" * 254, NAMESPACE, "is no name of a monitor"),
        ("shop", "../x", "'../x' is no name of a namespace"),
        ("shop", "a.b", "'a.b' is no name of a namespace"),
        ("shop", "a" * 64, "is no name of a namespace"),
    ],
    ids=["empty", "path", "case", "dots", "long", "ns-path", "ns-dot", "ns-long"],
)
async def test_an_invalid_name_sends_no_request(
    harness: OperatorHarness, name: str, monitor: str, namespace: str, message: str
) -> None:
    done = await command(name, monitor, "-n", namespace)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert harness.cluster.requests == []


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("GET", ("monitors",)), ("GET", ("explain", "shop")), ("PATCH", ("suspend", "shop"))],
    ids=["monitors", "explain", "suspend"],
)
async def test_a_cluster_without_the_definition_is_named(
    harness: OperatorHarness, method: str, arguments: tuple[str, ...]
) -> None:
    harness.cluster.fail(method, "/apis/monitoring.cadastro.dev/*", 404)
    harness.cluster.fail("GET", "/apis/monitoring.cadastro.dev/*", 404)
    done = await command(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert "no definition syntheticmonitors.monitoring.cadastro.dev" in done.stderr


async def test_an_error_of_the_api_server_is_shown(harness: OperatorHarness) -> None:
    harness.cluster.fail("GET", "*", 403)
    done = await command("monitors")
    assert (done.code, done.stderr) == (2, "synthetic monitors: rejected with 403\n")


async def test_no_output_has_characters_that_a_terminal_interprets(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(journey="a\x1b[2J")
    assert "a\\x1b[2J" in (await command("monitors")).stdout
    assert "\\x1b[2J" in (await command("explain", "b\x1b[2J")).stderr


async def test_the_plugin_of_kubectl_has_the_same_commands(
    harness: OperatorHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.add_monitor()
    (script,) = entry_points(group="console_scripts", name="kubectl-synmon")
    main = script.load()
    with mock.patch.object(sys, "argv", ["kubectl-synmon", "explain", "lost"]):
        assert await asyncio.to_thread(main) == 2
    assert capsys.readouterr().err.startswith("kubectl synmon explain: there is no monitor 'lost'")
    with mock.patch.object(sys, "argv", ["kubectl-synmon", "monitors"]):
        assert await asyncio.to_thread(main) == 0
    assert "shop" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["monitors", "explain", "run", "suspend", "resume"])
def test_the_help_of_each_command_has_its_exit_codes(name: str) -> None:
    done = synthetic(name, "--help")
    assert done.code == 0
    assert "Exit codes: 0" in done.stdout
    assert "--kubeconfig" in done.stdout
