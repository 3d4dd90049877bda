"""No output of the command contains a secret, whatever the security scheme and the output."""

import base64
import html
import json
import sys
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote, quote_plus

import pytest

from synthetic.cli import main
from synthetic.probe.masking import MASK
from synthetic.probe.signals import Signals
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.mock_api import Document, MockApi, run_mock_api, write_call

SECRET = 'Kq7"Zw&Xv/Rt%Pn\\Hj<Ly+Bg'
OTHER = "Wd5'Fc|Mt=Sk Vn#Gp"
TOKEN = "Jx8.Qr3~Nb6-Tz9_Ye2"
INPUT = "Uf4 \xe9Cs\xfcDh"
WINDOW = 5  # characters of a secret that no output may contain
MIN_CORE = 16  # characters of an encoded secret of which a part is looked for
OAUTH2 = {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}
CASES: dict[str, tuple[Document, dict[str, str]]] = {
    "key-in-header": ({"type": "apiKey", "in": "header", "name": "X-K"}, {"api-key": SECRET}),
    "key-in-query": ({"type": "apiKey", "in": "query", "name": "k"}, {"api-key": SECRET}),
    "key-in-cookie": ({"type": "apiKey", "in": "cookie", "name": "k"}, {"api-key": SECRET}),
    "basic": ({"type": "http", "scheme": "basic"}, {"username": "ana", "password": SECRET}),
    "bearer": ({"type": "http", "scheme": "bearer"}, {"token": TOKEN}),
    "oauth2-basic": ({"type": "oauth2", "flows": OAUTH2}, {"client-secret": SECRET}),
    "oauth2-body": (
        {"type": "oauth2", "flows": OAUTH2}, {"client-secret": OTHER, "client-auth": "body"}
    ),
    "openid": (
        {"type": "openIdConnect", "openIdConnectUrl": "/openid"}, {"client-secret": SECRET}
    ),
    "mutual-tls": ({"type": "mutualTLS"}, {}),
}  # fmt: skip
MODES = [
    [*output, *verbosity]
    for output in ([], *(["--output", name] for name in ("json", "junit", "har")))
    for verbosity in ([], ["--verbose"])
]


def encoded(secret: str) -> list[str]:
    """Return a secret in the encodings in which servers and outputs may repeat it."""
    data = secret.encode()
    return [
        *(secret, quote(secret), quote(secret, safe=""), quote_plus(secret)),
        quote(secret, safe="").lower(),
        *(
            json.dumps(secret)[1:-1],
            json.dumps(json.dumps(json.dumps(secret))),
            html.escape(secret),
        ),
        *(base64.b64encode(b"x" * n + data).decode() for n in range(3)),
        base64.urlsafe_b64encode(b"user:" + data).decode(),
        secret.upper(),
    ]


def leaked(text: str, secret: str) -> list[str]:
    """Return the parts of a secret that a text contains, also in base64."""
    size = min(WINDOW, len(secret))
    windows = {secret[i : i + size] for i in range(len(secret) - size + 1)}
    cores = {form[4:-6] for form in encoded(secret) if len(form) > MIN_CORE}
    return [part for part in windows | cores if part in text]


def write_failing(folder: Path, scheme: Document) -> Path:
    """Write a journey that a scheme protects, and whose criterion fails."""
    contract = {"openapi": "3.1.0", "components": {"securitySchemes": {"key": scheme}}}
    operation: Document = {
        "security": [{"key": []}],
        "parameters": [{"name": "q", "in": "query"}],
        "requestBody": {"content": {"application/json": {}}},
        "responses": {"200": {"content": {"application/json": {}}}},
    }
    step: Document = {
        "parameters": [{"name": "q", "in": "query", "value": "$inputs.password"}],
        "requestBody": {"payload": {"text": "{$inputs.password}", "password": "x"}},
        "successCriteria": [{"condition": "$response.body#/echo == $url"}],
    }
    inputs = {"password": {"type": "string", "format": "password"}}
    return write_call(folder, operation, step, method="post", contract=contract, inputs=inputs)


def echo() -> MockApi:
    """Return a server that repeats all secrets in each answer."""
    forms = [form for secret in (SECRET, OTHER, TOKEN, INPUT) for form in encoded(secret)]
    body = {"access_token": TOKEN, "token_endpoint": "/token", "echo": " | ".join(forms)}
    ascii_forms = [form for form in forms if form.isascii()]
    headers = [("Content-Type", "application/json"), ("X-Echo", " | ".join(ascii_forms))]
    return MockApi(headers=headers, body=json.dumps(body).encode())


def run(*arguments: str) -> int:
    """Run the command in this process, and return its exit code."""
    with patch.object(sys, "argv", ["synthetic", *arguments]):
        return main()


@pytest.mark.parametrize(("scheme", "credentials"), CASES.values(), ids=CASES)
def test_no_output_contains_a_part_of_a_secret(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    scheme: Document,
    credentials: dict[str, str],
) -> None:
    monkeypatch.setattr(Signals, "install", lambda _: None)
    MASK.add(SECRET, OTHER, TOKEN)  # the server repeats those of the other schemes too
    certificate, key = Authority(tmp_path).issue("client")
    given = {"tls.crt": str(certificate), "tls.key": str(key), **credentials}
    file, log = write_failing(tmp_path, scheme), tmp_path / "termination"
    with run_mock_api(echo()) as api:
        options = ["--file", str(file), "--url", api.url, "--retries", "0"]
        options += ["--input", f"password={INPUT}", "--termination-log", str(log)]
        for name, value in given.items():
            options += ["--secret", f"{name}={value}"]
        codes = {run("probe", "calls", *options, *mode) for mode in MODES}
        message = log.read_text()
        codes.add(run("probe", "calls", *options, "--dry-run"))
    assert codes == {0, 1}
    assert run("check", str(file)) == 0
    out, err = capfd.readouterr()
    printed = f"{out}{err}{message}"
    assert "the criterion is not met" in message
    assert "> POST http://" in err
    for secret in (SECRET, OTHER, TOKEN, INPUT, key.read_text().splitlines()[1]):
        assert leaked(printed, secret) == []


@pytest.mark.parametrize("secret", [SECRET, OTHER, TOKEN, INPUT, 'a"b', "100%", "x\ny\tz"])
def test_masks_each_encoding_of_a_secret(secret: str) -> None:
    MASK.add(secret)
    for form in encoded(secret):
        assert leaked(MASK.mask(form), secret) == [], form


def test_masks_a_value_that_a_message_shortens() -> None:
    MASK.add(SECRET)
    text = MASK.mask(f"{'x' * 190}{SECRET}")
    assert text == f"{'x' * 190}***"


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Location", "/b?access_token=Gm7Rk2Lp9&x=1"),
        ("Location", "https://a.example/#state=1&access_token=Gm7Rk2Lp9"),
        ("Link", "</b?x=1&api%5Fkey=Gm7Rk2Lp9>; rel=next"),
        ("Refresh", "0; url=/b?session=Gm7Rk2Lp9"),
        ("Location", "https://ana:Gm7Rk2Lp9@a.example/"),
    ],
    ids=["query", "fragment", "link", "refresh", "user"],
)
def test_no_output_contains_a_secret_parameter_of_a_url_in_a_header(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    mode: list[str],
    name: str,
    value: str,
) -> None:
    criteria = [{"condition": f"$response.header.{name} == 'x'"}]
    file = write_call(tmp_path, {}, {"successCriteria": criteria})
    with run_mock_api(MockApi(status=302, headers=[(name, value)])) as api:
        command = ["synthetic", "probe", "calls", "--file", str(file), "--url", api.url, *mode]
        command += ["--retries", "0"]
        with patch.object(Signals, "install"), patch.object(sys, "argv", command):
            assert main() == 1
    printed = capsys.readouterr()
    assert "Gm7Rk2Lp9" not in printed.out + printed.err
