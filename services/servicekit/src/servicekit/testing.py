"""What the services' tests share: an issuer of tokens, real servers, and a client that checks.

Everything here goes over real HTTP: a service under test fetches its keys from the issuer as it
would from auth, and is called on a port of its own.
"""

import base64
import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import jsonschema_rs
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from servicekit.bridge import Bridge
from servicekit.contract import load_contract, operations
from servicekit.logs import JsonFormatter

LEDGER = "CADASTRO_LEDGER"  # the folder in which operations and statuses that were seen are kept
LOGS = "CADASTRO_TEST_LOGS"  # the folder for what was logged, and for what must not be in there
SECRET_FIELDS = ("cpf", "email", "password", "token", "access_token")
CONTRACTS = Path(__file__).parents[4] / "openapi"  # tests run from a checkout
PATIENCE = 10.0  # seconds


class Issuer:
    """Stands in for auth: publishes a key set, and signs whatever a test wants signed."""

    def __init__(self) -> None:
        """Make a first key."""
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.current = self.add_key("first")
        self.fetches = 0  # of the key set
        self.service_scope = "clients:exists products:exists inventory:remove"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where the key set is."""
        return f"http://127.0.0.1:{self._server.server_port}/users/jwks.json"

    def add_key(self, kid: str) -> str:
        """Publish one more key and return its id."""
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())
        return kid

    def key_set(self) -> dict[str, Any]:
        """Return the JSON Web Key Set (RFC 7517)."""
        keys = [
            {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
            for kid, key in list(self.keys.items())
        ]
        return {"keys": keys}

    def claims(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
        """Return the claims of a good user's token, changed; ``None`` takes one out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "cadastro",
            "aud": "cadastro",
            "sub": "user:1",
            "client_id": "cadastro",
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            "jti": os.urandom(8).hex(),
            "scope": "clients:read clients:write products:read products:write "
            "inventory:read inventory:write users:write",
            "realm": "live",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **changes: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a signed token with ``claims(**changes)``."""
        headers = {"kid": self.current, "typ": "at+jwt"}
        key = self.keys[self.current]
        return jwt.encode(self.claims(**changes), key, algorithm="ES256", headers=headers)

    def __enter__(self) -> Self:
        """Start to publish."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Go away; nobody listens any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(issuer.key_set())
                issuer.fetches += 1

            def do_POST(self) -> None:
                """Answer a service's token (RFC 6749, section 4.4), whoever asks."""
                self.rfile.read(int(self.headers["Content-Length"]))
                token = issuer.token(sub="service:tests", scope=issuer.service_scope)
                self._answer({"access_token": token, "token_type": "Bearer", "expires_in": 300})

            def _answer(self, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output free of access lines."""

        return Handler


@contextmanager
def serve(app: Bridge, *, ready: bool = True) -> Iterator[str]:
    """Run an application on a free port; yield its URL when it is ``ready``, or at least lives."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        lifespan="on",
        server_header=False,
    )
    logging.getLogger("uvicorn.access").propagate = False  # nor does it speak under gunicorn
    keep_logs()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "the server to start")
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        if ready:
            wait_until(lambda: httpx.get(f"{url}/-/ready").is_success, "the service to be ready")
        yield url
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


def wait_until(is_so: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait until ``is_so()``; raises ``TimeoutError`` that names ``what`` when it never is."""
    deadline = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > deadline:
            message = f"waited {patience:.0f} s for {what}"
            raise TimeoutError(message)
        time.sleep(0.02)


class ContractClient(httpx.Client):
    """A client that fails on any answer which the contract does not describe."""

    def __init__(self, base_url: str, contract: Path, suite: str, token: str | None = None) -> None:
        """Call ``base_url`` and check against ``contract``; ``suite`` names who saw what."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        super().__init__(base_url=base_url, headers=headers, timeout=PATIENCE)
        self._operations = Operations(contract)
        self._suite = suite
        self.event_hooks = {"request": [remember], "response": [self._check]}

    def as_caller(self, token: str | None) -> Self:
        """Return the same client with another token, or without any."""
        other = type(self).__new__(type(self))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        httpx.Client.__init__(other, base_url=self.base_url, headers=headers, timeout=PATIENCE)
        other._operations, other._suite = self._operations, self._suite  # noqa: SLF001 - the same class
        other.event_hooks = {"request": [remember], "response": [other._check]}  # noqa: SLF001
        return other

    def _check(self, response: httpx.Response) -> None:
        response.read()
        operation = self._operations.find(response.request.method, response.request.url.path)
        if operation is not None:
            operation.check(response)
            record(self._suite, operation.operation_id, response.status_code)


class Operations:
    """The operations of a contract, to be found by what was requested."""

    def __init__(self, contract: Path) -> None:
        """Read the contract."""
        document = load_contract(contract)
        self._all = [
            (method.upper(), _path_pattern(path), _Described(document, operation))
            for path, method, operation in operations(document)
        ]

    def find(self, method: str, path: str) -> "_Described | None":
        """Return the operation that answers there, if any does."""
        for known, pattern, operation in self._all:
            if known == method and pattern.match(path):
                return operation
        return None


class _Described:
    """What the contract says of one operation's answers."""

    def __init__(self, document: dict[str, Any], operation: dict[str, Any]) -> None:
        self.operation_id: str = operation["operationId"]
        self._components = document["components"]
        self._responses = operation["responses"]
        self._validators: dict[tuple[int, str], jsonschema_rs.Draft4Validator] = {}

    def check(self, response: httpx.Response) -> None:
        """Raise ``AssertionError`` unless the answer is one that is described."""
        where = f"{self.operation_id} answered {response.status_code}"
        described = self._responses.get(str(response.status_code))
        assert described is not None, f"{where}, which is not declared: {response.text[:500]}"
        described = self._resolve(described)
        for name, header in described.get("headers", {}).items():
            if self._resolve(header).get("required"):
                assert name in response.headers, f"{where} without {name}"
        content = described.get("content")
        if not content:
            assert not response.content, f"{where} with a body, and none is declared"
            return
        media = response.headers.get("content-type", "").partition(";")[0]
        assert media in content, f"{where} as {media!r}, which is not declared"
        errors = list(
            self._validator(response.status_code, media, content).iter_errors(response.json())
        )
        assert not errors, f"{where}: {[str(error.message) for error in errors]}"

    def _validator(
        self, status: int, media: str, content: dict[str, Any]
    ) -> jsonschema_rs.Draft4Validator:
        if (status, media) not in self._validators:
            schema = {"allOf": [content[media]["schema"]], "components": self._components}
            self._validators[status, media] = jsonschema_rs.Draft4Validator(schema)
        return self._validators[status, media]

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            node = self._components[kind][name]
        return node


def record(suite: str, operation_id: str, status: int) -> None:
    """Note in the ledger that ``suite`` has seen an operation answer with a status."""
    folder = os.environ.get(LEDGER)
    if folder:
        line = f"{suite} {operation_id} {status}\n"
        with (Path(folder) / f"{os.getpid()}.txt").open("a") as file:
            file.write(line)


def remember(request: httpx.Request) -> None:
    """Note what a request carries that no log may hold; the check at the end looks for it."""
    folder = os.environ.get(LOGS)
    if not folder:
        return
    secrets = _secrets_of(request.headers.get("Authorization", ""))
    secrets += [value for _, value in request.url.params.multi_items()]
    if request.headers.get("Content-Type") == "application/json":
        try:
            body = json.loads(request.read())
        except (ValueError, RecursionError):  # some tests send what nobody can read
            body = None
        if isinstance(body, dict):
            secrets += [body[name] for name in SECRET_FIELDS if isinstance(body.get(name), str)]
    with (Path(folder) / f"secrets-{os.getpid()}.jsonl").open("a") as file:
        file.writelines(f"{json.dumps(secret)}\n" for secret in secrets)


def keep_logs() -> None:
    """Write all that this process logs from now on to the folder for it, if there is one."""
    folder = os.environ.get(LOGS)
    if folder:
        handler = logging.FileHandler(Path(folder) / f"{os.getpid()}.log")
        handler.setFormatter(JsonFormatter("tests"))
        logging.getLogger().addHandler(handler)


def _secrets_of(authorization: str) -> list[str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return [base64.b64decode(value).decode().partition(":")[2]]
        except ValueError:
            return []
    return [value]


def _path_pattern(path: str) -> re.Pattern[str]:
    steps = re.split(r"\{[^}]+\}", path)
    return re.compile("[^/]+".join(re.escape(step) for step in steps) + r"/?\Z")


@contextmanager
def environment(**settings: str) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def peer_settings(issuer: Issuer, database_url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a service that trusts ``issuer``; ``folder`` takes its secret."""
    secret = folder / "client-secret"
    secret.write_text("not-secret-in-tests")
    return {
        "DATABASE_URL": database_url,
        "CONTRACTS_DIR": str(CONTRACTS),
        "JWKS_URL": issuer.url,
        "TOKEN_URL": issuer.url.replace("jwks.json", "token"),
        "SERVICE_CLIENT_ID": "tests",
        "SERVICE_CLIENT_SECRET_FILE": str(secret),
        **more,
    }
