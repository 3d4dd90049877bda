"""Commands in the NOTES of a release."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from scripts.charts.rendering import CHARTS, of_kind, render


def container(name: str, *, ready: bool, last: str = "", **state: Any) -> dict[str, Any]:
    """Return the status of a container, with the message of its last termination."""
    last_state = {"terminated": {"reason": "Error", "message": last}} if last else {}
    return {"name": name, "ready": ready, "state": state, "lastState": last_state}


def pod(name: str, **status: Any) -> dict[str, Any]:
    """Return a pod with a status."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": status}


NOTES_OBJECT = """
kind: Notes
metadata: {name: notes}
text: {{ tpl (.Files.Get "notes.txt") . | quote }}
"""
PODS = [
    pod("cadastro-auth-1", containerStatuses=[container("auth", ready=True, running={})]),
    pod(
        "cadastro-clients-1",
        containerStatuses=[
            container("clients", ready=False, last="THREADS must be a number", waiting={})
        ],
    ),
    pod(
        "cadastro-products-1",
        initContainerStatuses=[
            container(
                "wait-for-migration",
                ready=False,
                waiting={"reason": "ImagePullBackOff", "message": "unknown image"},
            )
        ],
    ),
    pod(
        "cadastro-inventory-1",
        conditions=[{"status": "False", "message": "0/3 nodes are available"}],
    ),
]
RESPONSES = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": []}
        ],
    },
}


class ApiServer(BaseHTTPRequestHandler):
    """API server that returns the pods for every query."""

    queries: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Return discovery documents, or the pods."""
        path, _, query = self.path.partition("?")
        pods = {"kind": "PodList", "apiVersion": "v1", "items": PODS}
        if path not in RESPONSES:
            self.queries.append(query)
        body = json.dumps(RESPONSES.get(path, pods)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def api_server() -> Iterator[str]:
    """URL of an API server with pods, some of which are not ready."""
    with ThreadingHTTPServer(("127.0.0.1", 0), ApiServer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def chart(tmp_path: Path) -> str:
    """A copy of the umbrella chart with its NOTES in an object."""
    return with_notes(tmp_path, "cadastro")


def with_notes(folder: Path, name: str) -> str:
    """Return a copy of a chart with its NOTES in an object: `helm template` omits them."""
    shutil.copytree(CHARTS, folder / "charts", symlinks=True)
    copy = folder / "charts" / name
    (copy / "templates" / "NOTES.txt").rename(copy / "notes.txt")
    (copy / "templates" / "notes.yaml").write_text(NOTES_OBJECT)
    return str(copy)


def notes(objects: list[dict[str, Any]]) -> str:
    """Return the rendered NOTES."""
    text: str = of_kind(objects, "Notes")["notes"]["text"]
    return text


def test_the_notes_list_only_containers_that_are_not_ready(
    all_helms: list[str], chart: str, api_server: str, tmp_path: Path
) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("there is no kubectl here")
    for helm in all_helms:
        (command,) = [
            line for line in notes(render(helm, chart)).splitlines() if " get pods " in line
        ]
        _, *arguments = shlex.split(command)
        done = subprocess.run(
            [kubectl, "--server", api_server, "--cache-dir", str(tmp_path), *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
        assert lines == [
            "cadastro-auth-1",
            "cadastro-clients-1",
            "clients: THREADS must be a number",
            "cadastro-products-1",
            "wait-for-migration: ImagePullBackOff unknown image",
            "cadastro-inventory-1",
            "0/3 nodes are available",
        ]
    assert "component+notin+%28probe%29" in "".join(ApiServer.queries)


@pytest.mark.parametrize("release", ["2fa", "shop.prod", "r" * 53])
@pytest.mark.parametrize(
    "options", [(), ("--set", "ingress.enabled=false,synthetic.enabled=false")]
)
def test_the_notes_name_objects_of_the_release(
    helm: str, chart: str, release: str, options: tuple[str, ...]
) -> None:
    objects = render(helm, chart, *options, release=release)
    lines = [line.split() for line in notes(objects).splitlines()]
    (named,) = [
        words[words.index("port-forward" if options else "ingress") + 1]
        for words in lines
        if words[:1] == ["kubectl"] and {"port-forward", "ingress"} & set(words)
    ]
    kind, name = ("Service", named.partition("/")[2]) if options else ("Ingress", named)
    assert name in of_kind(objects, kind)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), True),
        (
            ("--set", "monitors.purchase.journey=inventory-purchase,monitors.purchase.interval=5m"),
            False,
        ),
    ],
    ids=["none", "some"],
)
def test_the_notes_of_a_release_without_monitors_name_their_fields(
    helm: str, tmp_path: Path, options: tuple[str, ...], *, expected: bool
) -> None:
    objects = render(helm, with_notes(tmp_path, "synthetic"), *options)
    assert ("kubectl explain synmon.spec.journeyFrom" in notes(objects)) == expected
