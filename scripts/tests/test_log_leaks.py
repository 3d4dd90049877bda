"""Tests of the search for sent secrets in logs."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from servicekit.openapi.contract import dereference, load_contract
from servicekit.testing import CONTRACTS, LOGS, environment, personal_members, record_secrets

SCRIPT = Path(__file__).parents[1] / "log_leaks.py"
CPF, EMAIL, PASSWORD = "529.982.247-25", "Vinícius_Peixoto@example.com", "Segredo-77"
NAME, STREET = "Ana Beatriz Peixoto", "Rua das Palmeiras"
MEMBERS = {
    service: personal_members(dereference(load_contract(CONTRACTS / f"{service}.yaml")))
    for service in ("auth", "clients", "products", "inventory")
}


def record_requests(folder: Path) -> None:
    """Record the secrets of some requests, as the test client does."""
    url = "http://127.0.0.1/clients/create"
    with environment(**{LOGS: str(folder)}):
        for service, body in (
            ("clients", {"cpf": CPF, "email": EMAIL, "name": NAME, "balance": "1234567.89"}),
            ("clients", {"street": STREET, "number": 100}),
            ("auth", {"password": PASSWORD, "username": "ana"}),
            ("products", {"name": "Monitor de 27 polegadas"}),
        ):
            record_secrets(httpx.Request("POST", url, json=body), MEMBERS[service])
        headers = {"Authorization": "Bearer eyJhbGciOiJ.e30.c2ln"}
        record_secrets(httpx.Request("GET", url, headers=headers), ())
        record_secrets(httpx.Request("GET", url, params={"city": "São Paulo"}), ())


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the check."""
    command = [sys.executable, str(SCRIPT), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "leak",
    [
        CPF,
        CPF.replace(".", "").replace("-", ""),
        EMAIL,
        json.dumps({"email": EMAIL}),
        NAME,
        STREET,
        PASSWORD,
        "eyJhbGciOiJ.e30.c2ln",
        "GET /address/fetch?city=S%C3%A3o%20Paulo",
    ],
)
def test_finds_a_sent_secret_in_a_log(tmp_path: Path, leak: str) -> None:
    record_requests(tmp_path)
    (tmp_path / "1.log").write_text(f"a line\nanother one: {leak}, as it is\n")
    done = check(tmp_path)
    assert done.returncode == 1
    assert "1 hits" in done.stdout


def test_accepts_logs_without_secrets(tmp_path: Path) -> None:
    record_requests(tmp_path)
    (tmp_path / "1.log").write_text(
        '{"route": "/clients/create", "name": "Monitor de 27 polegadas"}\n'
    )
    assert check(tmp_path).returncode == 0


def test_fails_without_secrets_or_logs(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 1
    record_requests(tmp_path)
    assert check(tmp_path).returncode == 1
