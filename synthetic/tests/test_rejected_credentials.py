"""What a 401 or a 403 says about the credentials of its request, and about those that lack."""

import json
from pathlib import Path
from typing import Any

import pytest

from synthetic.probe.credentials import gather_credentials
from synthetic.probe.replay import replay
from synthetic.probe.results import ProbeError, RunResult
from synthetic.probe.runner import RunOptions
from synthetic.probe.termination_log import format_message
from synthetic.probe.transport import Transport
from tests.support.synthetic.mock_api import Document, MockApi, run_mock_api, write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS

KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
SECURED: list[Document] = [{"key": []}]
VALUE = "Kw7-Zq9-Xv4"


def rejected(
    folder: Path,
    scheme: Document,
    credentials: dict[str, str] | Path,
    security: list[Document] | None = None,
    status: int = 401,
    **step: Any,
) -> RunResult:
    """Return the result of a call that the server rejects."""
    contract = {"components": {"securitySchemes": {"key": scheme, "user": BASIC}}}
    operation = {"security": SECURED if security is None else security}
    file = write_call(folder, operation, dict(step), contract=contract)
    if isinstance(credentials, Path):
        given = gather_credentials(credentials, None, {})
    else:
        given = gather_credentials(None, credentials, {})
    with run_mock_api(MockApi(status)) as api:
        result = replay("calls", api.url, given, LONG_LIMITS, file=file)
    assert VALUE not in json.dumps(result.to_dict())
    assert (result.result, result.reason, result.status) == ("failed", "auth", status)
    return result


BASIC = {"type": "http", "scheme": "basic"}
BEARER = {"type": "http", "scheme": "bearer"}
COOKIE = {"type": "apiKey", "in": "cookie", "name": "sid"}
NONE = "there are no credentials: see --credentials, or a monitor's credentialsSecretRef"
USER = {"username": "u", "password": VALUE}


@pytest.mark.parametrize(
    ("scheme", "credentials", "security", "described"),
    [
        (KEY, {"api-key": VALUE}, None, "an API key was sent as the header X-Key (scheme key)"),
        (COOKIE, {"api-key": VALUE}, None, "an API key was sent as the cookie sid (scheme key)"),
        (BASIC, USER, None, "a username and password were sent (scheme key)"),
        (BEARER, {"token": VALUE}, None, "a token was sent (scheme key)"),
        (KEY, {}, None, f"no API key was sent: {NONE}"),
        (KEY, {}, [{"key": []}, {}], f"no API key was sent: {NONE}"),
        (KEY, {"token": VALUE}, None, "the credentials have no api-key, only token"),
        (KEY, {"kye.api-key": VALUE}, None, "the credentials have no api-key, only kye.api-key"),
        (KEY, {"api-key": ""}, None, "no API key was sent: the credential api-key is empty"),
        (BASIC, {"username": "u"}, None, "the credentials have no password, only username"),
        (KEY, {}, [{"key": []}, {"user": []}], f"no credential was sent: {NONE}"),
        (
            KEY,
            {"token": VALUE},
            [{"key": []}, {"user": []}],
            "the credentials have no api-key or username or password, only token",
        ),
        (KEY, {"api-key": VALUE}, [], "the description has no security for this operation, so no"),
        (KEY, {"api-key": VALUE}, [{"lost": []}], "the description has no security scheme lost"),
        ({"type": "http", "scheme": "digest"}, USER, None, "does not support the http scheme"),
    ],
)  # fmt: skip
def test_a_rejection_says_what_was_sent(
    tmp_path: Path,
    scheme: Document,
    credentials: dict[str, str],
    security: list[Document] | None,
    described: str,
) -> None:
    result = rejected(tmp_path, scheme, credentials, security, 403)
    assert result.detail.startswith("the response status is 403: ")
    assert described in result.detail
    assert described in json.loads(format_message(result))["evidence"]["problem"]


def test_a_rejection_names_the_files_that_a_folder_has_instead(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (secret / "..data").mkdir(parents=True)
    (secret / "X-API-Key").write_text(VALUE)
    (secret / "token").write_text(VALUE)
    criteria = [{"condition": "$statusCode == 200"}]
    result = rejected(tmp_path, KEY, secret, successCriteria=criteria)
    assert result.detail == (
        "the response status is 401, and the criterion is $statusCode == 200: no API key was sent: "
        "the credentials have no file api-key, only token, X-API-Key"
    )


def test_a_rejection_says_that_the_journey_gave_its_own(tmp_path: Path) -> None:
    own = [{"name": "x-key", "in": "header", "value": "mine"}]
    result = rejected(tmp_path, KEY, {"api-key": VALUE}, parameters=own)
    assert result.detail.endswith("401: the journey's own header X-Key was sent")


def test_a_rejection_after_a_redirect_says_that_nothing_was_sent(tmp_path: Path) -> None:
    contract = {"components": {"securitySchemes": {"key": KEY}}}
    file = write_call(tmp_path, {"security": SECURED}, contract=contract)
    given = gather_credentials(None, {"api-key": VALUE}, {})
    options = RunOptions(transport=Transport(max_redirects=1))
    with run_mock_api(MockApi(401)) as other:
        location = other.url.replace("127.0.0.1", "localhost")
        with run_mock_api(MockApi(307, [("Location", location)])) as api:
            result = replay("calls", api.url, given, LONG_LIMITS, file=file, options=options)
    assert result.detail.endswith("a redirect led to localhost, which gets no credentials")


@pytest.mark.parametrize(
    ("names", "found"), [(["X-API-Key"], ", only X-API-Key"), ([], ": the folder is empty")]
)
def test_a_folder_without_any_credential_is_an_error_before_the_first_request(
    tmp_path: Path, names: list[str], found: str
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    for name in names:
        (secret / name).write_text(VALUE)
    given = gather_credentials(secret, None, {})
    contract = {"components": {"securitySchemes": {"key": KEY}}}
    api = MockApi()
    file = write_call(tmp_path, {"security": SECURED}, contract=contract)
    message = f"call needs a credential, and the credentials have no file api-key{found}"
    with run_mock_api(api), pytest.raises(ProbeError, match=message):
        replay("calls", api.url, given, LONG_LIMITS, file=file)
    assert api.requests == []
    own = {"parameters": [{"name": "X-Key", "in": "header", "value": "mine"}]}
    for security, step in ((SECURED, own), ([{"key": []}, {}], None), ([], None)):
        file = write_call(tmp_path, {"security": security}, step, contract=contract)
        with run_mock_api(api):
            assert replay("calls", api.url, given, LONG_LIMITS, file=file).result == "passed"


def test_a_missing_client_is_named_with_the_files_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "clientSecret").write_text(VALUE)
    flows = {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}
    contract = {"components": {"securitySchemes": {"key": {"type": "oauth2", "flows": flows}}}}
    file = write_call(tmp_path, {"security": SECURED}, contract=contract)
    given = gather_credentials(secret, None, {})
    with pytest.raises(ProbeError, match=r"have no file client-secret, only clientSecret\Z"):
        replay("calls", "http://127.0.0.1:1", given, LONG_LIMITS, file=file)
