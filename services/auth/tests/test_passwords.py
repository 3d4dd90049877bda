"""The queue of password hashes: its metrics and its limit."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from auth.passwords import RESERVED_THREADS, PasswordHashing
from servicekit.problems import TooManyRequests
from servicekit.testing import wait_until


def test_metrics_report_the_queue() -> None:
    passwords = PasswordHashing(concurrency=1, threads=RESERVED_THREADS + 4)
    read = {each.name: each.read for each in passwords.instruments()}
    running, waiting = (
        read[f"cadastro_password_hashes_{state}"] for state in ("in_progress", "queued")
    )
    assert (running(), waiting()) == (0, 0)

    def hashed() -> str:
        with passwords.logins:
            return passwords.hash("a password")

    with ThreadPoolExecutor(3) as pool:
        hashes = [pool.submit(hashed) for _ in range(30)]
        wait_until(lambda: (running(), waiting()) == (1, 2), "a queue")
    assert all(each.result() for each in hashes)
    assert (running(), waiting()) == (0, 0)


def test_a_wrong_password_leaves_the_queue() -> None:
    passwords = PasswordHashing(concurrency=1, threads=1)
    for _ in range(3):
        with passwords.logins:
            assert not passwords.verify(passwords.hash("right"), "wrong")
    with passwords.logins, pytest.raises(TooManyRequests), passwords.logins:
        pytest.fail("there is one place alone")
