"""Fuzzes the served contracts of a running system: schemathesis, all phases, all checks.

It works in the realm of the monitors, with the secret that they have, so that it neither sees nor
touches anybody's data; what it leaves behind is swept as theirs is.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
from validate_docbr import CPF

HERE = Path(__file__).resolve().parent
PAGES = {
    "clients": "/clients",
    "products": "/products",
    "inventory": "/inventory",
    "auth": "/users",
}
PASSWORD = "Testando"
SEEDS = 5  # clients and products that exist before inventories are filled


def main() -> int:
    """Fuzz each contract, two at a time, and return 1 when one of them failed."""
    options = _parser().parse_args()
    try:
        secret = options.secret_file.read_text().strip()
        with tempfile.TemporaryDirectory(prefix="cadastro-fuzz-") as folder:
            run = _Run(options.url.rstrip("/"), secret, Path(folder))
            command = ("--max-examples", str(options.examples))
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                done = [pool.submit(run.fuzz, name, command) for name in options.contracts or PAGES]
                return int(any(each.result() for each in done))
    except (httpx.HTTPError, OSError) as error:
        sys.exit(f"fuzz: {error}; is there a system at {options.url}? See --help")


class _Run:
    """A system, and what is needed to call it."""

    def __init__(self, url: str, secret: str, folder: Path) -> None:
        self._url = url
        with httpx.Client(base_url=url, timeout=10) as client:
            self._settings = {
                "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
                "FUZZ_URL": url,
                "FUZZ_SECRET": secret,
                **_log_in(client, secret),
            }
            ids = f"[dictionaries.ids]\nvalues = {_make_things(client)}\n"
            self._config = folder / "schemathesis.toml"
            self._config.write_text((HERE / self._config.name).read_text() + ids)

    def fuzz(self, contract: str, options: tuple[str, ...]) -> int:
        """Fuzz one contract and return schemathesis's exit code."""
        began = time.monotonic()
        sys.stderr.write(f"fuzz: {contract} ...\n")
        program = str(Path(sys.executable).with_name("schemathesis"))
        document = f"{self._url}{PAGES[contract]}/openapi.json"
        done = subprocess.run(
            [program, "--config-file", self._config, "run", document, "--checks", "all", *options],
            env={**os.environ, **self._settings, "FUZZ_CONTRACT": contract},
            cwd=self._config.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        report = done.stdout + done.stderr
        print(report if done.returncode else report[report.rfind("= SUMMARY =") :], flush=True)
        sys.stderr.write(f"fuzz: {contract}: {time.monotonic() - began:.0f} s\n")
        return done.returncode


def _log_in(client: httpx.Client, secret: str) -> Mapping[str, str]:
    """Make a monitors' user, whose token lives for an hour, and call as that user from now on."""
    form = {"grant_type": "client_credentials"}
    answer = client.post("/users/token", data=form, auth=("synthetic", secret)).raise_for_status()
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    name = f"fuzz-{uuid4()}"
    body = {"username": name, "password": PASSWORD}
    client.post("/users/create", json=body, headers=headers).raise_for_status()
    token = client.post("/users/login", auth=(name, PASSWORD)).raise_for_status().json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return {"FUZZ_TOKEN": token, "FUZZ_USER": name, "FUZZ_PASSWORD": PASSWORD}


def _make_things(client: httpx.Client) -> list[int]:
    """Make some clients and products, and return their ids."""
    things: list[int] = []
    for _ in range(SEEDS):
        name = str(uuid4())
        person = {"name": name, "email": f"{name}@example.test", "cpf": CPF().generate()}
        good = {"name": name, "description": "", "quantity": 1, "price": "9.90", "status": True}
        for path, body in (("clients", {**person, "balance": 0}), ("products", good)):
            made = client.post(f"/{path}/create", json=body).raise_for_status()
            things.append(int(made.json()["id"]))
    return things


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("contracts", nargs="*", metavar="CONTRACT", help=f"of {', '.join(PAGES)}")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the system (%(default)s)")
    parser.add_argument(
        "--secret-file", type=Path, required=True, help="the secret of the OAuth client synthetic"
    )
    parser.add_argument(
        "--examples", type=int, default=10, help="at most so many an operation (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
