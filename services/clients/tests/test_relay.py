"""The outbox and its relay: no message is lost, and deletions do not wait."""

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import create_engine, text

from servicekit.db import database
from servicekit.db.database import Database, driver_url
from servicekit.outbox import messages
from servicekit.outbox.messages import (
    BATCH_SIZE,
    CHANNEL,
    CONCURRENCY,
    DeliveryRejected,
    ReceiverUnavailable,
    Relay,
    age,
    enqueue,
)
from servicekit.testing import wait_until
from tests.support.clients.outbox import add_messages, expire_leases, pending_ids


def test_what_is_delivered_is_deleted(outbox: Database) -> None:
    told: list[tuple[str, int]] = []
    add_messages(outbox, 1, 2, 3)
    assert Relay(outbox, lambda *message: told.append(message)).deliver_batch() == 3
    assert sorted(told) == [("client", 1), ("client", 2), ("client", 3)]
    assert pending_ids(outbox) == []


def test_a_message_of_a_transaction_that_is_undone_never_was(outbox: Database) -> None:
    def put_and_fail() -> None:
        with outbox.transaction() as connection:
            enqueue(connection, "client", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        put_and_fail()
    assert pending_ids(outbox) == []


def test_while_the_receiver_is_away_everything_is_kept_and_due(outbox: Database) -> None:
    def away(*_: object) -> None:
        raise ReceiverUnavailable

    add_messages(outbox, *range(2 * CONCURRENCY))
    with pytest.raises(ReceiverUnavailable):
        Relay(outbox, away).deliver_batch()
    assert pending_ids(outbox) == list(range(2 * CONCURRENCY))
    expire_leases(outbox)  # and the delay of those that were sent
    assert Relay(outbox, lambda *_: None).deliver_batch() == 2 * CONCURRENCY


@pytest.mark.parametrize("failing", [1, CONCURRENCY, BATCH_SIZE + 1])
def test_messages_at_which_the_receiver_fails_do_not_hold_up_the_others(
    outbox: Database, failing: int
) -> None:
    def fail_at_some(_: str, subject_id: int) -> None:
        if subject_id < failing:
            raise ReceiverUnavailable

    add_messages(outbox, *range(5 * BATCH_SIZE))
    relay = Relay(outbox, fail_at_some)
    for _ in range(3 * BATCH_SIZE):
        with suppress(ReceiverUnavailable):
            relay.deliver_batch()
    assert pending_ids(outbox) == list(range(failing))


def test_a_refused_message_waits_by_itself(outbox: Database) -> None:
    def refuse_one(_: str, subject_id: int) -> None:
        if subject_id == 1:
            raise DeliveryRejected

    add_messages(outbox, 1, 2)
    relay = Relay(outbox, refuse_one)
    relay.deliver_batch()
    assert pending_ids(outbox) == [1]
    assert relay.deliver_batch() == 0  # during the backoff
    expire_leases(outbox)
    assert relay.deliver_batch() == 1


def test_an_outage_does_not_count_as_rejections(outbox: Database) -> None:
    def away(*_: object) -> None:
        raise ReceiverUnavailable

    def reject(*_: object) -> None:
        raise DeliveryRejected

    add_messages(outbox, *range(2 * CONCURRENCY))
    for _ in range(20):
        with suppress(ReceiverUnavailable):
            Relay(outbox, away).deliver_batch()
        expire_leases(outbox)
    Relay(outbox, reject).deliver_batch()
    with outbox.autocommit() as connection:
        longest = connection.scalar(
            text("SELECT extract(epoch FROM max(due_at) - now()) FROM outbox")
        )
    assert longest < 20


@pytest.mark.parametrize("step", ["1 hour", "61 seconds", "1 year"])
def test_a_message_is_due_after_the_clock_stepped_back(outbox: Database, step: str) -> None:
    add_messages(outbox, 1, 2)
    later = text("UPDATE outbox SET due_at = due_at + CAST(:step AS interval)")
    with outbox.autocommit() as connection:
        connection.execute(later, {"step": step})
        connection.execute(text("UPDATE outbox SET created_at = due_at"))
    assert age(outbox) == 0
    assert Relay(outbox, lambda *_: None).deliver_batch() == 2
    assert pending_ids(outbox) == []


def test_what_a_relay_took_and_did_not_deliver_is_taken_by_another(outbox: Database) -> None:
    class KilledError(BaseException):
        """Simulates kill -9: no handler of the relay runs."""

    def die(*_: object) -> None:
        raise KilledError

    add_messages(outbox, 1)
    with pytest.raises(KilledError):
        Relay(outbox, die).deliver_batch()
    other = Relay(outbox, lambda *_: None)
    assert other.deliver_batch() == 0  # during the lease
    expire_leases(outbox)
    assert other.deliver_batch() == 1
    assert pending_ids(outbox) == []


def test_two_relays_do_not_take_the_same_messages(outbox: Database) -> None:
    told: list[int] = []
    add_messages(outbox, *range(200))

    def drain(_: int) -> None:
        relay = Relay(outbox, lambda _, subject_id: told.append(subject_id))
        while relay.deliver_batch():
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(drain, range(2)))
    assert sorted(told) == list(range(200))


def test_a_batch_is_told_by_several_calls_at_once_and_never_by_more(outbox: Database) -> None:
    running: list[int] = []
    seen: list[int] = []
    together = threading.Barrier(CONCURRENCY)

    def deliver(_: str, subject_id: int) -> None:
        running.append(subject_id)
        seen.append(len(running))
        together.wait(10)  # fails without concurrent calls
        running.remove(subject_id)

    add_messages(outbox, *range(3 * CONCURRENCY))
    assert Relay(outbox, deliver).deliver_batch() == 3 * CONCURRENCY
    assert max(seen) == CONCURRENCY
    assert pending_ids(outbox) == []


def test_of_calls_at_once_each_has_its_own_outcome(outbox: Database) -> None:
    together = threading.Barrier(CONCURRENCY)

    def refuse_every_other(_: str, subject_id: int) -> None:
        together.wait(10)
        if subject_id % 2:
            raise DeliveryRejected

    add_messages(outbox, *range(2 * CONCURRENCY))
    Relay(outbox, refuse_every_other).deliver_batch()
    assert pending_ids(outbox) == list(range(1, 2 * CONCURRENCY, 2))


def test_a_receiver_who_is_away_is_not_called_for_the_rest_of_the_batch(outbox: Database) -> None:
    called: list[int] = []

    def away(_: str, subject_id: int) -> None:
        called.append(subject_id)
        raise ReceiverUnavailable

    add_messages(outbox, *range(BATCH_SIZE))
    with pytest.raises(ReceiverUnavailable):
        Relay(outbox, away).deliver_batch()
    assert len(called) <= CONCURRENCY
    assert pending_ids(outbox) == list(range(BATCH_SIZE))


def test_the_age_is_that_of_the_oldest_message(outbox: Database) -> None:
    assert age(outbox) == 0
    add_messages(outbox, 1)
    with outbox.autocommit() as connection:
        connection.execute(text("UPDATE outbox SET created_at = now() - interval '90 seconds'"))
    assert 90 <= age(outbox) < 180


def test_a_running_relay_hears_of_a_message_at_once_and_stops_when_told(outbox: Database) -> None:
    heard = threading.Event()
    relay = Relay(outbox, lambda *_: heard.set())
    thread = threading.Thread(target=relay.run)
    thread.start()
    add_messages(outbox, 7)
    assert heard.wait(10)
    wait_until(lambda: pending_ids(outbox) == [], "the message to be deleted")
    relay.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def running(outbox: Database) -> Iterator[queue.Queue[int]]:
    """The ids delivered by a running relay."""
    told: queue.Queue[int] = queue.Queue()
    relay = Relay(outbox, lambda _, subject_id: told.put(subject_id))
    thread = threading.Thread(target=relay.run)
    thread.start()
    add_messages(outbox, 1)
    assert told.get(timeout=10) == 1
    yield told
    relay.stop()
    thread.join(10)


def test_a_running_relay_repeats_a_failed_message_when_it_is_due(
    outbox: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "POLL_INTERVAL", 60.0)
    times: list[float] = []

    def fail_at_first(*_: object) -> None:
        times.append(time.monotonic())
        if len(times) <= 2:
            raise ReceiverUnavailable

    relay = Relay(outbox, fail_at_first)
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        add_messages(outbox, 1)
        wait_until(lambda: pending_ids(outbox) == [], "the message to be delivered", 20)
    finally:
        relay.stop()
        thread.join(10)
    assert len(times) == 3


def test_a_relay_outlives_the_sessions_that_the_database_ends(
    running: queue.Queue[int], outbox: Database, own_url: str
) -> None:
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname ="
    with create_engine(driver_url(own_url)).connect() as other:
        other.execute(text(f"{end} current_database() AND pid <> pg_backend_pid()"))
    add_messages(outbox, 2)
    assert running.get(timeout=10) == 2


def test_a_relay_outlives_a_database_that_hangs_again_and_again(
    running: queue.Queue[int],
    outbox: Database,
    own_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "READ_TIMEOUT", 0.2)
    with create_engine(driver_url(own_url)).begin() as holder:
        holder.execute(text("LOCK TABLE outbox"))
        with outbox.autocommit() as connection:
            connection.execute(text(f"NOTIFY {CHANNEL}"))
        wait_until(
            lambda: caplog.text.count("the database is unavailable") > 1, "two vain attempts"
        )
        enqueue(holder, "client", 2)
    assert running.get(timeout=10) == 2
