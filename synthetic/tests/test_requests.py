"""Requests of a journey: parameters, bodies and tokens, as the contract describes them."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthetic.probe.catalog import load_journey
from synthetic.probe.credentials import Credentials
from synthetic.probe.replay import replay
from synthetic.probe.request_builder import build_request
from synthetic.probe.results import ProbeError
from synthetic.probe.runtime_values import Context
from tests.support.synthetic.mock_shop import (
    CONTRACT,
    LONG_LIMITS,
    MockShop,
    replay_journey,
    respond,
    run_mock_shop,
    write_journey,
)

Document = dict[str, Any]


def fetch_operation(contract: Document) -> Document:
    """Return the operation ``fetch`` of the mock shop's contract."""
    operation: Document = contract["paths"]["/things/{id}"]["get"]
    return operation


def add_header_parameter(file: Path, name: str) -> None:
    """Declare a required header parameter in the contract beside a journey."""
    contract = copy.deepcopy(CONTRACT)
    parameter = {"name": name, "in": "header", "required": True}
    fetch_operation(contract)["parameters"].append(parameter)
    (file.parent / "shop.yaml").write_text(yaml.safe_dump(contract))


def set_header(document: Document, name: str, value: str) -> None:
    """Set a header in the journey's second step."""
    parameters = document["workflows"][0]["steps"][1]["parameters"]
    parameters.append({"name": name, "in": "header", "value": value})


def test_header_parameters_match_without_regard_to_case(shop: MockShop, tmp_path: Path) -> None:
    file = write_journey(tmp_path, lambda d: set_header(d, "x-colour", "red"))
    add_header_parameter(file, "X-Colour")
    assert replay_journey(shop.url, file).result == "passed"
    assert shop.requests[2][2]["x-colour"] == "red"


def test_a_journeys_authorization_header_replaces_the_token(shop: MockShop, tmp_path: Path) -> None:
    def change(document: Document) -> None:
        header = {"name": "authorization", "in": "header", "value": "Bearer other"}
        document["workflows"][0]["steps"][0]["parameters"] = [header]

    assert replay_journey(shop.url, write_journey(tmp_path, change)).result == "passed"
    assert "Authorization" not in shop.requests[1][2]
    assert shop.requests[1][2]["authorization"] == "Bearer other"


@pytest.mark.parametrize("name", ["Accept", "content-type", "Authorization"])
def test_ignores_header_parameters_that_openapi_reserves(
    shop: MockShop, tmp_path: Path, name: str
) -> None:
    file = write_journey(tmp_path)
    add_header_parameter(file, name)
    assert replay_journey(shop.url, file).result == "passed"


def test_a_form_has_json_values_and_omits_null(tmp_path: Path) -> None:
    def change(document: Document) -> None:
        document["workflows"][0]["steps"][0]["requestBody"] = {
            "contentType": "application/x-www-form-urlencoded",
            "payload": {"name": "a b", "is_new": True, "count": 3, "note": None},
        }

    step = load_journey("things", write_journey(tmp_path, change)).steps[0]
    assert build_request(step, Context()).body == b"count=3&is_new=true&name=a+b"


def test_a_token_response_may_omit_expires_in(shop: MockShop, journey: Path) -> None:
    token = {"access_token": "t.t.t"}
    shop.faults["POST /token"] = lambda handler: respond(handler, 200, token)
    assert replay_journey(shop.url, journey).result == "passed"
    assert shop.calls.count("POST /token") == 1


def set_token_url(file: Path, url: str) -> None:
    """Change the tokenUrl of the contract beside a journey."""
    contract = copy.deepcopy(CONTRACT)
    flows = contract["components"]["securitySchemes"]["token"]["flows"]
    flows["clientCredentials"]["tokenUrl"] = url
    (file.parent / "shop.yaml").write_text(yaml.safe_dump(contract))


def test_sends_credentials_to_the_origin_of_the_token_url_alone(
    shop: MockShop, journey: Path
) -> None:
    with run_mock_shop() as issuer:
        set_token_url(journey, f"{issuer.url}/token")
        result = replay_journey(shop.url, journey)
    assert result.result == "passed"
    assert issuer.calls == ["POST /token"]
    assert shop.calls == ["POST /things", "GET /things/1", "DELETE /things/1"]
    assert issuer.requests[0][2]["Host"] == issuer.url.removeprefix("http://")
    assert all("Basic" not in headers.get("Authorization", "") for *_, headers in shop.requests)


def test_credentials_are_not_sent_to_a_host_that_they_do_not_allow(
    shop: MockShop, journey: Path
) -> None:
    with run_mock_shop() as issuer:
        set_token_url(journey, issuer.url.replace("127.0.0.1", "localhost") + "/token")
        bound = Credentials({"client-secret": "secret"}, hosts=frozenset({"127.0.0.1"}))
        with pytest.raises(ProbeError, match="may not be sent to localhost"):
            replay("things", shop.url, bound, LONG_LIMITS, file=journey)
    assert issuer.calls == shop.calls == []


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/token", "http://me:secret@127.0.0.1/token"])
def test_rejects_an_invalid_token_url(shop: MockShop, journey: Path, url: str) -> None:
    set_token_url(journey, url)
    with pytest.raises(ProbeError, match="tokenUrl") as error:
        replay_journey(shop.url, journey)
    assert "secret" not in str(error.value)
    assert shop.calls == []
