"""Contracts in several files and by URL, and the servers of their operations."""

import json
import ssl
from pathlib import Path

import pytest
import yaml

from synthetic.probe.documents import DocumentStore
from synthetic.probe.openapi_parser import load_operations
from synthetic.probe.replay import replay
from synthetic.probe.results import ProbeError
from synthetic.probe.runner import RunOptions
from synthetic.probe.target import parse_target
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.mock_api import Document, MockApi, call, run_mock_api, write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS
from tests.support.synthetic.socket_server import run_socket_server, send

JSON = ("Content-Type", "application/json")
STRICT = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def respond_with(schema: Document) -> Document:
    """Return an operation whose response has a schema."""
    content = {"application/json": {"schema": schema}}
    return {"responses": {"200": {"description": "d", "content": content}}}


def check(file: Path, body: bytes) -> str:
    """Return the reason of a call with a JSON response."""
    return call(file, MockApi(headers=[JSON], body=body))[0].reason


@pytest.mark.parametrize("is_absolute", [False, True])
def test_references_lead_through_files(tmp_path: Path, *, is_absolute: bool) -> None:
    (tmp_path / "parts").mkdir()
    first, second = tmp_path / "parts" / "first one.yaml", tmp_path / "parts" / "second.json"
    first.write_text(yaml.safe_dump({"a/b": {"{x}": {"$ref": "second.json#/schemas/1"}}}))
    second.write_text(json.dumps({"schemas": [{}, STRICT]}))
    place = first.as_uri() if is_absolute else "parts/first%20one.yaml"
    file = write_call(tmp_path, respond_with({"$ref": f"{place}#/a~1b/%7Bx%7D"}))
    assert check(file, b'{"id": 1}') == ""
    assert check(file, b'{"id": "1"}') == "schema"


@pytest.mark.parametrize("is_json", [False, True], ids=["yaml", "json"])
def test_contracts_and_journeys_may_begin_with_a_byte_order_mark(
    tmp_path: Path, *, is_json: bool
) -> None:
    dump = json.dumps if is_json else yaml.safe_dump
    schema = {**STRICT, "description": "\U0001f600"}  # two escapes in JSON, and one in YAML
    (tmp_path / "part.yaml").write_text(dump({"Strict": schema}), encoding="utf-8-sig")
    file = write_call(tmp_path, respond_with({"$ref": "part.yaml#/Strict"}))
    for path in tmp_path.glob("*.yaml"):
        value = yaml.safe_load(path.read_bytes())
        value.get("info", {})["description"] = "\U0001f600"
        path.write_text(dump(value), encoding="utf-8-sig")
    assert check(file, b'{"id": 1}') == ""
    assert check(file, b'{"id": "1"}') == "schema"


def test_references_lead_to_urls_after_redirects(tmp_path: Path) -> None:
    parts = json.dumps({"Strict": STRICT}).encode()
    with (
        run_mock_api(MockApi(body=parts)) as documents,
        run_mock_api(MockApi(302, [("Location", f"{documents.url}/parts.json")])) as old,
    ):
        file = write_call(tmp_path, respond_with({"$ref": f"{old.url}/parts.json#/Strict"}))
        assert check(file, b'{"id": 1}') == ""
        assert check(file, b'{"id": "1"}') == "schema"
    assert {request.target for request in documents.requests} == {"/parts.json"}


def test_a_reference_to_a_missing_url_is_an_error_of_the_run(tmp_path: Path) -> None:
    with run_mock_api(MockApi(404)) as documents:
        file = write_call(tmp_path, respond_with({"$ref": f"{documents.url}/x.yaml"}))
        result = call(file, MockApi(headers=[JSON], body=b"1"))[0]
    assert (result.result, result.reason) == ("error", "runner")
    assert "cannot be fetched: the response status is 404" in result.detail


@pytest.mark.parametrize(
    ("location", "error"),
    [("http://[::1/x", "redirects to no URL"), ("ftp://a.example/x", "must be an HTTP URL")],
    ids=["invalid", "ftp"],
)
def test_a_contract_that_redirects_to_no_url_is_an_error_of_the_run(
    tmp_path: Path, location: str, error: str
) -> None:
    with run_mock_api(MockApi(302, [("Location", location)])) as documents:
        file = write_call(tmp_path, respond_with({"$ref": f"{documents.url}/x.yaml"}))
        result = call(file, MockApi(headers=[JSON], body=b"1"))[0]
    assert (result.result, result.reason) == ("error", "runner")
    assert error in result.detail


def test_a_contract_does_not_leave_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    moved = send(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/x\r\n\r\n")
    with (
        run_socket_server(moved, context) as url,
        pytest.raises(ProbeError, match=r"it redirects from https to http://127\.0\.0\.1:9"),
    ):
        load_operations(DocumentStore(), f"{url}/api.json")


@pytest.mark.parametrize(
    "url", ["http://ana:Kq7Zw9@127.0.0.1:9/x", "http://127.0.0.1:9/x?key=1&token=Kq7Zw9"]
)
def test_the_error_of_a_contract_has_no_secret_of_its_url(url: str) -> None:
    with pytest.raises(ProbeError, match=r"127\.0\.0\.1:9/x") as raised:
        load_operations(DocumentStore(), url)
    assert "Kq7Zw9" not in str(raised.value)


def test_a_contract_by_url_must_not_refer_to_local_files(tmp_path: Path) -> None:
    local = tmp_path / "secret.yaml"
    local.write_text("{type: string}")
    contract = {"openapi": "3.1.0", "paths": {"/x": {"$ref": local.as_uri()}}}
    with (
        run_mock_api(MockApi(body=json.dumps(contract).encode())) as documents,
        pytest.raises(ProbeError, match="must not refer to the local file"),
    ):
        load_operations(DocumentStore(), f"{documents.url}/api.json")


def test_a_document_is_found_by_its_self_uri(tmp_path: Path) -> None:
    contract = {
        "openapi": "3.2.0",
        "$self": "https://shop.example.invalid/api",
        "components": {"schemas": {"Strict": STRICT}},
    }
    operation = respond_with({"$ref": "/api#/components/schemas/Strict"})
    file = write_call(tmp_path, operation, contract=contract)
    assert check(file, b'{"id": 1}') == ""
    assert check(file, b'{"id": "1"}') == "schema"


def test_the_server_of_the_contract_is_the_default(tmp_path: Path) -> None:
    with run_mock_api(MockApi()) as api:
        server = {
            "url": "http://127.0.0.1:{port}/base/{version}/",
            "variables": {
                "port": {"default": api.url.rpartition(":")[2]},
                "version": {"default": "v1", "enum": ["v1"]},
            },
        }
        file = write_call(tmp_path, {}, contract={"servers": [server]})
        assert replay("calls", None, None, LONG_LIMITS, file=file).result == "passed"
        own = write_call(tmp_path, {"servers": [{"url": f"{api.url}/own"}]})
        assert replay("calls", None, None, LONG_LIMITS, file=own).result == "passed"
        servers = {"api": parse_target(f"{api.url}/named")}
        options = RunOptions(servers=servers)
        other = "http://127.0.0.1:1"
        result = replay("calls", other, None, LONG_LIMITS, file=own, options=options)
        assert result.result == "passed"
    assert [r.target for r in api.requests] == ["/base/v1/x", "/own/x", "/named/x"]


@pytest.mark.parametrize("servers", [[], [{"url": "/v1"}]])
def test_a_contract_without_a_complete_server_needs_a_url(
    tmp_path: Path, servers: list[Document]
) -> None:
    file = write_call(tmp_path, {}, contract={"servers": servers})
    with pytest.raises(ProbeError, match="name one with --url, or with --server NAME=URL"):
        replay("calls", None, None, LONG_LIMITS, file=file)


def test_a_relative_server_belongs_to_the_url_of_its_contract() -> None:
    contract = {
        "openapi": "3.1.0",
        "servers": [{"url": "v2"}],
        "paths": {"/x": {"get": {"operationId": "op", "responses": {"200": {}}}}},
    }
    with run_mock_api(MockApi(body=json.dumps(contract).encode())) as documents:
        operations = load_operations(DocumentStore(), f"{documents.url}/docs/api.json")
    assert operations["op"].server == f"{documents.url}/docs/v2"
