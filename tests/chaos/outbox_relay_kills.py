"""Faults of the relay: it is killed at three points of a delivery."""

import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.chaos.intercepting_proxy import InterceptingProxy
from tests.chaos.load_driver import LoadDriver
from tests.chaos.system import SystemUnderTest
from tests.support.accounts import new_purchase
from tests.support.steps import StepFailed

RELAY = "clients-relay"


def kill_relay_before_delivery(system: SystemUnderTest, _: int, __: LoadDriver) -> float:
    """Kill the relay after it has read a row and before the inventory gets the request."""
    with _intercepted_relay(system):
        return _kill_relay(system)


def kill_relay_after_delivery(system: SystemUnderTest, _: int, __: LoadDriver) -> float:
    """Kill the relay after the inventory has processed the request, before its response."""
    with _intercepted_relay(system) as (proxy, request):
        proxy.forward(request)
        return _kill_relay(system)


def kill_relay_before_delete(system: SystemUnderTest, _: int, __: LoadDriver) -> float:
    """Kill the relay after the response, before it deletes the row."""
    blocked = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'clients-relay' AND wait_event_type = 'Lock'"
    )
    database = system.database
    with (
        _intercepted_relay(system) as (proxy, request),
        closing(database.connect("clients")) as holder,
    ):
        response = proxy.forward(request)
        with holder.cursor() as cursor:
            cursor.execute("SELECT id FROM outbox FOR UPDATE")
            proxy.respond(response)
            system.wait_until(lambda: bool(database.query("clients", blocked)))
            sessions = database.query("clients", blocked)
            started = _kill_relay(system)
            if not sessions:
                raise StepFailed("the relay did not try to delete the row")
            for (pid,) in sessions:  # each waits for the lock, and would delete the row later
                database.query("clients", "SELECT pg_terminate_backend(%s, 5000)", pid)
        holder.rollback()
        return started


@contextmanager
def _intercepted_relay(system: SystemUnderTest) -> Iterator[tuple[InterceptingProxy, bytes]]:
    """Delete a client with a purchase, and hold the request that the relay sends for it."""
    (client_id,) = system.database.seed_clients(1)
    body = new_purchase(client_id, system.product_id, "2024-11-01T10:30:00")
    system.create("/inventory/add_product", body)
    relay = system.stack.supervisor.child(RELAY)
    environ = relay.environ
    with system.outage(RELAY), InterceptingProxy(system.stack.bases["inventory"]) as proxy:
        with system.caller() as caller:
            response = caller.request("DELETE", f"/clients/delete/{client_id}")
        if not response.is_success:
            raise StepFailed("the delete failed")
        relay.environ = {**environ, "INVENTORY_URL": proxy.url}
        try:
            relay.start()
            yield proxy, proxy.accept()
        finally:
            relay.signal(signal.SIGKILL)
            relay.environ = environ


def _kill_relay(system: SystemUnderTest) -> float:
    relay = system.stack.supervisor.child(RELAY)
    relay.signal(signal.SIGKILL)
    system.wait_until(relay.has_exited)
    return time.monotonic()
