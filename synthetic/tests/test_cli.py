"""The command line: output, exit codes, error messages and completion."""

import json
import os
import subprocess
import sys
from collections import UserDict
from pathlib import Path
from urllib.parse import unquote

import pytest

from synthetic.operator.settings import Settings
from synthetic.operator.termination_message import MAX_LENGTH
from synthetic.probe.results import RunResult, StepResult
from synthetic.probe.target import parse_target
from synthetic.probe.termination_log import MAX_MESSAGE_BYTES, format_message
from tests.support.synthetic.mock_shop import MockShop, respond
from tests.support.synthetic.scripted_api import step, workflow, write_arazzo

pytestmark = pytest.mark.covers_subprocesses

SHIPPED = {
    "auth-health",
    "clients-crud",
    "clients-health",
    "inventory-health",
    "inventory-purchase",
    "login",
    "products-crud",
    "products-health",
}
PROGRAM = Path(sys.executable).with_name("synthetic")
CONTRACT = Path(__file__).parents[2] / "openapi" / "products.yaml"


class Environment(UserDict[str, str]):
    """An environment that records the variables that are read."""

    def __init__(self, **values: str) -> None:
        """Set these variables."""
        super().__init__(values)
        self.names_read: set[str] = set()

    def __contains__(self, key: object) -> bool:
        """Return whether a variable is set."""
        self.names_read.add(str(key))
        return super().__contains__(key)

    def __getitem__(self, key: str) -> str:
        """Return a variable."""
        self.names_read.add(key)
        return super().__getitem__(key)


def synthetic(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """A folder like a mounted Secret."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "client-id").write_text("synthetic\n")
    (folder / "client-secret").write_text("not-secret-in-tests\n")
    return folder


def test_prints_a_table_of_the_steps(shop: MockShop, journey: Path, credentials: Path) -> None:
    done = synthetic(
        "probe", "things", "--url", shop.url, "--file", journey, "--credentials", credentials
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split()[:5] == ["step", "status", "ms", "dns", "connect"]
    assert [line.split()[:2] for line in lines[1:5]] == [
        ["token", "200"],
        ["make", "201"],
        ["look", "200"],
        ["unmake", "204"],
    ]
    assert lines[-1].startswith("things passed in ")


def test_prints_json_and_writes_the_termination_message(
    shop: MockShop, journey: Path, credentials: Path, tmp_path: Path
) -> None:
    shop.faults["GET /things"] = lambda h: respond(h, 500)
    log = tmp_path / "termination"
    log.write_text("message of an earlier container, " * 50)
    where = ("--url", shop.url, "--file", journey, "--credentials", credentials)
    how = ("--retries", "0", "--output", "json", "--termination-log", log)
    done = synthetic("probe", "things", *where, *how)
    assert done.returncode == 1
    printed, left = json.loads(done.stdout), json.loads(log.read_text())
    assert printed["result"] == left["result"] == "failed"
    assert (left["v"], left["journey"], left["step"]) == (1, "things", "look")
    assert (left["reason"], left["status"], left["attempt"]) == ("http_status", 500, 1)
    assert left["traceId"] == printed["traceId"]
    assert [[name, status] for name, _, status, *_ in left["steps"]] == [
        ["token", 200],
        ["make", 201],
        ["look", 500],
        ["unmake", 204],
    ]
    phases = ("durationMs", "status", "dnsMs", "connectMs", "tlsMs", "firstByteMs")
    told = [[step["stepId"], *(step[phase] for phase in phases)] for step in printed["steps"]]
    assert left["steps"] == told
    assert [connect > 0 for _, _, _, _, connect, _, _ in told] == [True, False, False, False]
    assert printed["detail"].startswith("the response status is 500")
    assert left["detail"] == printed["detail"]


def test_the_termination_message_keeps_the_latest_steps_of_a_long_journey() -> None:
    outcome = RunResult("j" * 300, "0" * 32, step="s" * 300)
    outcome.steps = [StepResult(f"step-{n}-{'x' * 50}", "op", 1) for n in range(200)]
    text = format_message(outcome)
    assert len(text.encode()) <= MAX_MESSAGE_BYTES
    assert json.loads(text)["steps"][-1][0].startswith("step-199-")


def test_names_of_wide_characters_fit_in_a_termination_message() -> None:
    name = "\N{CHART WITH UPWARDS TREND}" * 64  # 12 bytes each as JSON
    outcome = RunResult(name, "0" * 32, step=name, detail="d" * 5000)
    outcome.steps = [StepResult(name, "op", 1) for _ in range(9)]
    outcome.evidence = [{"problem": "d" * 5000}]
    text = format_message(outcome)
    assert len(text.encode()) <= MAX_LENGTH
    assert json.loads(text)["detail"].startswith("ddd")


def test_lists_the_shipped_journeys() -> None:
    done = synthetic("list")
    assert done.returncode == 0
    listed = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert set(listed) == SHIPPED
    assert all(listed.values())


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("completion", "bash"),
        ("operator", "--settings"),
        ("check", "{journey}"),
        ("new", "{contract}"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_output_that_cannot_be_written_is_an_error(
    journey: Path, arguments: tuple[str, ...], redirection: str
) -> None:
    places = {"journey": journey, "contract": CONTRACT}
    words = [word.format_map(places) for word in arguments]
    command = ["/bin/bash", "-c", f'"$0" "$@" {redirection}', str(PROGRAM), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    *_, last = done.stderr.splitlines()
    assert last.startswith(f"synthetic {arguments[0]}: standard output")
    assert "Traceback" not in done.stderr


def test_the_operator_lists_all_settings_that_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    done = synthetic("operator", "--settings")
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    environ = Environment(PROBE_IMAGE="r.example/synthetic:1", WATCH_NAMESPACES="*")
    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", environ)
        Settings.from_environment()
    assert listed | {"POD_NAMESPACE"} == environ.names_read  # described with MONITORS_CONFIG_MAP


def test_completes_commands_journeys_and_options_in_bash() -> None:
    script = synthetic("completion", "bash").stdout
    ask = """
    PATH=$1:$PATH
    complete_words() {
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
      _shtab_synthetic
      echo "${COMPREPLY[@]}"
    }
    complete_words synthetic pr
    complete_words synthetic probe inv
    complete_words synthetic probe login --cre
    complete_words synthetic probe login --output js
    complete_words synthetic op
    complete_words synthetic operator --s
    complete_words synthetic expl
    complete_words synthetic run shop --w
    kubectl() { printf 'syntheticmonitor.monitoring.cadastro.dev/%s\\n' shop login; }
    complete_words synthetic suspend sh
    """
    done = subprocess.run(
        ["bash", "-c", script + ask, "bash", str(PROGRAM.parent)],  # noqa: S607 - the shell
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "probe",
        "inventory-health inventory-purchase",
        "--credentials",
        "json",
        "operator",
        "--settings",
        "explain",
        "--wait",
        "shop",
    ]
    assert synthetic("completion", "zsh").stdout.startswith("#compdef synthetic\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "--url", "http://127.0.0.1"), "shipped journeys: auth-health, clients-crud"),
        (("../auth", "--url", "http://127.0.0.1"), "there is no journey"),
        (("login", "--url", "http://me:secret@127.0.0.1"), "must contain no credentials"),
        (("login", "--url", "127.0.0.1:80"), "must be like https://"),
        (("login", "--url", "ftp://127.0.0.1"), "must be like https://"),
        (("login", "--url", "http://"), "must be like https://"),
        (("login", "--url", "http://a:99999"), "must be like https://"),
        (("login", "--url", " http://127.0.0.1:8080 "), "must be like https://"),
        (("login", "--url", "http://127.0.0.1 :8080"), "must be like https://"),
        (("login", "--url", "http://ex%61mple.invalid"), "must be like https://"),
        (("login", "--url", "http://[fe80::1%25eth0]:8080"), "--url must have no zone"),
        (("login", "--url", "http://[fe80::1%eth0]"), "--url must have no zone"),
        (("login", "--server", "api=http://[fe80::1%25eth0]"), "--server must have no zone"),
        (
            ("login", "--url", "http://a", "--server", "oauth=http://b"),
            "--server oauth: no step calls this source description; the steps call auth",
        ),
        (("login", "--url", "http://a/?b=1"), "must have no query and no fragment"),
        (("login", "--url", "http://127.0.0.1"), "login needs a token: name a folder"),
        (("login", "--url", "http://a", "--credentials", "/nowhere"), "cannot be read"),
        (("login", "--url", "http://a", "--file", "/nowhere.yaml"), "/nowhere.yaml cannot be read"),
        (("login", "--url", "http://a", "--termination-log", "/nowhere/x"), "cannot be written"),
        (("login", "--url", "http://a", "--termination-log", "/dev/null"), "not a regular file"),
        (("login", "--url", "http://a", "--timeout", "0"), "--timeout"),
        (("login", "--url", "http://a", "--retries", "9"), "--retries"),
        (("login",), "--url"),
    ],
)
def test_reports_an_invalid_argument_in_one_sentence(
    arguments: tuple[str, ...], message: str
) -> None:
    done = synthetic("probe", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr.replace("client-secret", "")
    assert done.stdout == ""


def test_rejects_an_empty_client_secret(credentials: Path) -> None:
    (credentials / "client-secret").write_text(" \n")
    done = synthetic("probe", "login", "--url", "http://127.0.0.1", "--credentials", credentials)
    assert (done.returncode, "must not be empty" in done.stderr) == (2, True)


def test_a_run_that_cannot_start_writes_a_termination_message(tmp_path: Path) -> None:
    log = tmp_path / "termination"
    done = synthetic("probe", "nothing", "--url", "http://127.0.0.1", "--termination-log", log)
    left = json.loads(log.read_text())
    assert (left["result"], left["reason"], left["journey"]) == ("error", "runner", "nothing")
    assert left["detail"].startswith(left["evidence"]["problem"].removesuffix("..."))
    assert f"synthetic probe: {left['detail']}" in done.stderr


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("http://127.0.0.1:1/api.yaml?sig=S3CRET&v=1", "http://127.0.0.1:1/api.yaml?*** cannot be"),
        ("http://127.0.0.1:1/?code=S3CRET#x", "http://127.0.0.1:1/?***"),
        ("http://S3CRET@127.0.0.1/api.yaml", "http://***@127.0.0.1/api.yaml must be"),
        ("ftp://S3CRET@127.0.0.1/api.yaml", "ftp://***@127.0.0.1/api.yaml"),
    ],
)
def test_a_run_that_cannot_start_shows_no_credential_of_a_url(
    tmp_path: Path, url: str, public: str
) -> None:
    sources = [{"name": "api", "url": url, "type": "openapi"}]
    file = write_arazzo(tmp_path, workflow(step("a")), sourceDescriptions=sources)
    log = tmp_path / "termination"
    command = ("probe", "w", "--file", file, "--url", "http://127.0.0.1", "--termination-log", log)
    assert synthetic(*command).returncode == 2
    problem = json.loads(log.read_text())["evidence"]["problem"]
    assert public in problem
    assert "S3CRET" not in problem


@pytest.mark.parametrize("path", ["/ção", "/%C3%A7%C3%A3o", "/a b", "/a;b=1,2"])
def test_the_path_of_a_url_may_have_any_character(path: str) -> None:
    prefix = parse_target(f"http://shop.example{path}").prefix
    assert unquote(prefix) == unquote(path)
    assert prefix.isascii()
    assert " " not in prefix
