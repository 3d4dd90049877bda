"""Steady load: writers that retry, logins, and liveness checks."""

import sys
import threading
import time
from collections.abc import Callable

from tests.chaos.history import Outcome
from tests.chaos.workload import Workload, WorkloadConfig, stopping
from tests.support.accounts import log_in, new_client, new_purchase
from tests.support.http_caller import HttpCaller, Response

WRITERS = 6
PAUSE_SECONDS = 0.05  # between two actions of a writer
MAX_RETRIES = 200  # of one request, with the same Idempotency-Key
RETRY_SECONDS = 0.1
LIVENESS_SECONDS = 0.25  # between two checks of a service
LIVENESS_TIMEOUT_SECONDS = 2.0
LOGIN_SECONDS = 3.0  # between two logins
CONFLICT = 409  # another request with the same Idempotency-Key is in progress


class SteadyLoad(Workload):
    """Threads that send requests until they are stopped."""

    def __init__(self, config: WorkloadConfig) -> None:
        """Use the callers of a configuration."""
        super().__init__(config)
        self._crashed = False
        self._bodies: dict[str, dict[str, object]] = {}  # by key: a retry repeats its request

    def run(self) -> None:
        """Run writers, logins and liveness checks until SIGTERM."""
        threading.excepthook = self._record_crash
        threads = [threading.Thread(target=self._write_loop) for _ in range(WRITERS)]
        threads += [threading.Thread(target=self._login_loop)]
        threads += [
            threading.Thread(target=self._liveness_loop, args=(url,))
            for url in self.config.service_urls
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._crashed:
            sys.exit(1)

    def _record_crash(self, crash: threading.ExceptHookArgs) -> None:
        """Print a crash and fail the process: the history of a crashed thread is incomplete."""
        threading.__excepthook__(crash)
        self._crashed = True

    def _write_loop(self) -> None:
        with self.caller() as caller:
            client_id = self._retry(lambda key: self._create_client(caller, "client", key))
            while client_id and not stopping.is_set():
                self._create_address(caller, client_id)
                self._increment(caller)
                self._purchase(caller, client_id)
                self._create_and_delete(caller)
                page = caller.request("GET", "/clients/fetch?limit=10")
                self.history.record("page", "-", page)

    def _create_address(self, caller: HttpCaller, client_id: int) -> None:
        street = self.unique()
        body = {
            "client_id": client_id,
            "state": "SP",
            "city": "Andradina",
            "street": street,
            "number": 1,
            "CEP": "16900-000",
        }
        self._retry(lambda key: self._post(caller, "/address/create", body, "address", street, key))

    def _purchase(self, caller: HttpCaller, client_id: int) -> None:
        date = self.unique_date()
        body, path = new_purchase(client_id, self.config.product_id, date), "/inventory/add_product"
        element = f"{client_id}:{date}"
        self._retry(lambda key: self._post(caller, path, body, "purchase", element, key))

    def _increment(self, caller: HttpCaller) -> None:
        """Add 1 to the counter: read it, then write with its entity tag."""
        time.sleep(PAUSE_SECONDS)
        counter = self.config.counter_id
        current = caller.request("GET", f"/clients/fetch/{counter}")
        self.history.record("fetch", counter, current)
        if not current.is_success:
            return
        body = {name: value for name, value in current.document.items() if name != "id"}
        body["balance"] = float(body["balance"]) + 1
        path, etag = f"/clients/update/{counter}", current.headers["etag"]
        self.history.record("increment", counter, caller.request("PUT", path, body, If_Match=etag))

    def _create_and_delete(self, caller: HttpCaller) -> None:
        """Create a client, buy a product, and delete the client."""
        client_id = self._retry(lambda key: self._create_client(caller, "visitor", key))
        if client_id:
            body = new_purchase(client_id, self.config.product_id, self.unique_date())
            response = caller.request("POST", "/inventory/add_product", body)
            self.history.record("visit", client_id, response)
            path = f"/clients/delete/{client_id}"
            self._retry(
                lambda _: self.record("deletion", client_id, caller.request("DELETE", path))
            )

    def _create_client(self, caller: HttpCaller, kind: str, key: str) -> tuple[Outcome, Response]:
        body = self._bodies.setdefault(key, new_client("Caos", "chaos"))
        return self._post(caller, "/clients/create", body, kind, body["email"], key)

    def _post(
        self, caller: HttpCaller, path: str, body: object, kind: str, element: object, key: str
    ) -> tuple[Outcome, Response]:
        response = caller.request("POST", path, body, Idempotency_Key=key)
        return self.record(kind, element, response)

    def _retry(self, attempt: Callable[[str], tuple[Outcome, Response]]) -> int:
        """Repeat a write with one key until it is done or refused; return the new id, or 0."""
        key = self.unique()
        for _ in range(MAX_RETRIES):
            time.sleep(PAUSE_SECONDS)
            outcome, response = attempt(key)
            if outcome is Outcome.OK:
                return int((response.document or {}).get("id", 0))
            is_refused = outcome is Outcome.FAILED and response.status != CONFLICT
            if stopping.is_set() or is_refused:
                return 0
            time.sleep(RETRY_SECONDS)
        return 0

    def _login_loop(self) -> None:
        """Log in repeatedly: services must accept a new token like an old one."""
        while not stopping.wait(LOGIN_SECONDS):
            token = log_in(self.config.url, self.config.user)
            if token:
                for path in ("/clients/fetch?limit=1", "/products/fetch?limit=1"):
                    with HttpCaller(self.config.url, token) as caller:
                        self.history.record("login", path, caller.request("GET", path))

    def _liveness_loop(self, base: str) -> None:
        """Send liveness checks to a service, past the ingress."""
        while not stopping.wait(LIVENESS_SECONDS):
            with HttpCaller(base, timeout=LIVENESS_TIMEOUT_SECONDS) as caller:
                self.history.record("live", base, caller.request("GET", "/-/live"))
