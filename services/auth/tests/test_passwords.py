"""The queue of password hashes: its metrics and its limit."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from auth.passwords import RESERVED_THREADS, PasswordHashing
from servicekit.problems import TooManyRequests
from servicekit.testing import wait_until


def test_metrics_report_the_queue() -> None:
    passwords = PasswordHashing(concurrency=1, threads=RESERVED_THREADS + 6)
    read = {each.name: each.read for each in passwords.instruments()}
    running, waiting = (
        read[f"cadastro_password_hashes_{state}"] for state in ("in_progress", "queued")
    )
    assert (running(), waiting()) == (0, 0)

    def hashed() -> str:
        with passwords.logins.place():
            return passwords.hash("a password")

    with ThreadPoolExecutor(3) as pool:
        hashes = [pool.submit(hashed) for _ in range(30)]
        wait_until(lambda: (running(), waiting()) == (1, 2), "a queue")
    assert all(each.result() for each in hashes)
    assert (running(), waiting()) == (0, 0)


def test_a_wrong_password_leaves_the_queue() -> None:
    passwords = PasswordHashing(concurrency=1, threads=1)
    for _ in range(3):
        with passwords.logins.place():
            assert not passwords.verify(passwords.hash("right"), "wrong")
    with passwords.logins.place(), pytest.raises(TooManyRequests), passwords.logins.place():
        pytest.fail("there is one place alone")


def test_one_address_leaves_places_to_others() -> None:
    passwords = PasswordHashing(concurrency=1, threads=RESERVED_THREADS + 12)
    for queue, places in ((passwords.logins, 8), (passwords.registrations, 4)):
        with ExitStack() as held:
            for _ in range(places * 3 // 4):
                held.enter_context(queue.place("198.51.100.1"))
            with pytest.raises(TooManyRequests), queue.place("198.51.100.1"):
                pytest.fail("the address has its part")
            for number in range(places // 4):
                held.enter_context(queue.place(f"198.51.100.2{number}"))
            with pytest.raises(TooManyRequests), queue.place("198.51.100.3"):
                pytest.fail("the queue is full")
        with queue.place("198.51.100.1"):
            assert queue.length == 1
        assert queue.length == 0
