"""`make fuzz`: fuzz the served contracts of a running system with schemathesis.

All phases and all checks run in the synthetic realm, with the secret of the monitors. Users' data
is neither read nor changed, and the purge deletes what remains.
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

from tests.support.accounts import new_client
from tests.support.steps import Progress

report = Progress("fuzz")

HERE = Path(__file__).resolve().parent
PAGES = {
    "clients": "/clients",
    "products": "/products",
    "inventory": "/inventory",
    "auth": "/users",
}
PASSWORD = "Testando"
SEEDS = 5  # clients and products, for the purchases


def main() -> int:
    """Fuzz the contracts concurrently, and return 1 when one of them failed."""
    options = _parser().parse_args()
    try:
        secret = options.secret_file.read_text(encoding="utf-8-sig").strip()
        with tempfile.TemporaryDirectory(prefix="cadastro-fuzz-") as folder:
            run = _Run(options.url.rstrip("/"), secret, Path(folder))
            command = ("--max-examples", str(options.examples))
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                done = [pool.submit(run.fuzz, name, command) for name in options.contracts or PAGES]
                return int(any(each.result() for each in done))
    except (httpx.HTTPError, OSError) as error:
        sys.exit(f"fuzz: {error}; is there a system at {options.url}? See --help")


class _Run:
    """The configuration of schemathesis for a system."""

    def __init__(self, url: str, secret: str, folder: Path) -> None:
        self._url = url
        with httpx.Client(base_url=url, timeout=10) as client:
            self._settings = {
                "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
                "FUZZ_URL": url,
                "FUZZ_SECRET": secret,
                **_create_user(client, secret),
            }
            ids = f"[dictionaries.ids]\nvalues = {_create_seeds(client)}\n"
            self._config = folder / "schemathesis.toml"
            self._config.write_text((HERE / self._config.name).read_text() + ids)

    def fuzz(self, contract: str, options: tuple[str, ...]) -> int:
        """Fuzz one contract, and return the exit code of schemathesis."""
        started = time.monotonic()
        report(f"{contract} ...")
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
        output = done.stdout + done.stderr
        print(output if done.returncode else output[output.rfind("= SUMMARY =") :], flush=True)
        report(f"{contract}: {time.monotonic() - started:.0f} s")
        return done.returncode


def _create_user(client: httpx.Client, secret: str) -> Mapping[str, str]:
    """Create a user in the synthetic realm, and use its token from now on."""
    form = {"grant_type": "client_credentials"}
    response = client.post("/users/token", data=form, auth=("synthetic", secret)).raise_for_status()
    headers = {"Authorization": f"Bearer {response.json()['access_token']}"}
    name = f"fuzz-{uuid4()}"
    body = {"username": name, "password": PASSWORD}
    client.post("/users/create", json=body, headers=headers).raise_for_status()
    token = client.post("/users/login", auth=(name, PASSWORD)).raise_for_status().json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return {"FUZZ_TOKEN": token, "FUZZ_USER": name, "FUZZ_PASSWORD": PASSWORD}


def _create_seeds(client: httpx.Client) -> list[int]:
    """Create some clients and products, and return their identifiers."""
    ids: list[int] = []
    for _ in range(SEEDS):
        name = str(uuid4())
        product = {"name": name, "description": "", "quantity": 1, "price": "9.90", "status": True}
        for path, body in (("clients", new_client(name, "fuzz")), ("products", product)):
            response = client.post(f"/{path}/create", json=body).raise_for_status()
            ids.append(int(response.json()["id"]))
    return ids


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("contracts", nargs="*", metavar="CONTRACT", help=f"of {', '.join(PAGES)}")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the system (%(default)s)")
    parser.add_argument(
        "--secret-file", type=Path, required=True, help="the secret of the OAuth client synthetic"
    )
    parser.add_argument(
        "--examples",
        type=int,
        default=10,
        help="maximum for each operation (%(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
