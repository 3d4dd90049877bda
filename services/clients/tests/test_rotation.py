"""Valid tokens are accepted during key rotation and outages of auth."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from clients.app import create_app
from servicekit.testing import FakeIssuer, environment, peer_settings, serve, wait_until

REFRESHES = 15  # one a minute with default settings
CALLERS = 4


@pytest.fixture
def own_issuer() -> Iterator[FakeIssuer]:
    """A separate issuer for the test."""
    with FakeIssuer() as issuer:
        yield issuer


@pytest.fixture
def hurried_url(own_issuer: FakeIssuer, database_url: str, tmp_path: Path) -> Iterator[str]:
    """A service with several refreshes of the key set a second."""
    more = {"INVENTORY_URL": "http://127.0.0.1:9", "JWKS_REFRESH": "0.2"}
    settings = peer_settings(own_issuer, database_url, tmp_path, **more)
    with environment(**settings):
        app = create_app()
    with serve(app) as url:
        yield url


def status(url: str, token: str) -> int:
    """Return the status for a token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/clients/exists/1", headers=headers).status_code


class Load:
    """Callers that repeat a request with current tokens, and record the statuses."""

    def __init__(self, url: str, issuer: FakeIssuer) -> None:
        """Call ``url`` with tokens of ``issuer``."""
        self.seen: list[list[int]] = [[] for _ in range(CALLERS)]
        self._url = url
        self._issuer = issuer
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(seen,)) for seen in self.seen]

    def __enter__(self) -> Self:
        """Start the callers."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the callers."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def go_on(self) -> None:
        """Wait for two more responses of each caller; the second one is for a new token."""
        goals = [len(seen) + 2 for seen in self.seen]
        wait_until(
            lambda: all(len(seen) >= goal for seen, goal in zip(self.seen, goals, strict=True)),
            "every caller to go on",
            timeout=60,
        )

    def _call(self, seen: list[int]) -> None:
        while not self._ended.is_set():
            seen.append(status(self._url, self._issuer.token()))


def test_keys_turn_under_load_and_no_token_is_refused(
    hurried_url: str, own_issuer: FakeIssuer
) -> None:
    with Load(hurried_url, own_issuer) as load:
        old = own_issuer.token()
        for turn in range(3):
            load.go_on()
            before, new = own_issuer.current, own_issuer.add_key(f"turn-{turn}")
            fetched(own_issuer)  # publish
            own_issuer.current = new  # sign
            load.go_on()  # requests with the old key are finished
            del own_issuer.keys[before]  # retire
            fetched(own_issuer)
        load.go_on()
    assert {each for seen in load.seen for each in seen} == {200}
    assert status(hurried_url, old) == 401  # retired


def test_valid_tokens_are_accepted_while_auth_is_unavailable_for_15_minutes(
    hurried_url: str, own_issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    now = int(time.time())
    early, late = (own_issuer.token(iat=then, nbf=then) for then in (now - 900, now))
    dead = own_issuer.token(exp=now - 120)
    assert status(hurried_url, early) == 200
    own_issuer.stop()
    wait_until(
        lambda: caplog.text.count("key set could not be fetched") >= REFRESHES,
        "as many vain attempts as there are in a quarter of an hour",
        timeout=60,
    )
    assert {status(hurried_url, token) for token in (early, late)} == {200}
    assert {status(hurried_url, own_issuer.token()) for _ in range(3)} == {200}
    assert status(hurried_url, dead) == 401
    assert httpx.get(f"{hurried_url}/-/ready").status_code == 200


def fetched(issuer: FakeIssuer) -> None:
    """Wait for three fetches of the key set: one may be running, one not yet stored."""
    goal = issuer.fetches + 3
    wait_until(lambda: issuer.fetches >= goal, "the keys to be fetched")
