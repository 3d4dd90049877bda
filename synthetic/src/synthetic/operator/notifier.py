"""Deliver notifications beside the reconciliation, and hold the outcomes until it records them."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from synthetic.operator.api_client import ApiError
from synthetic.operator.monitor_cache import Key
from synthetic.operator.notification import Due, Outcome, due, next_check, record_of, settled
from synthetic.operator.notification_sender import NotificationSender
from synthetic.operator.operator_metrics import NOTIFICATIONS
from synthetic.operator.receiver_secrets import DeliveryError
from synthetic.operator.resources import Object
from synthetic.operator.spec import Receiver, Spec

log = logging.getLogger(__name__)


class Notifier:
    """Deliveries by monitor and receiver: at most one of each at a time."""

    def __init__(
        self,
        sender: NotificationSender,
        enqueue: Callable[[Key], None],
        clock: Callable[[], datetime],
    ) -> None:
        """Send with ``sender``, and enqueue a monitor after each attempt."""
        self._sender = sender
        self._enqueue = enqueue
        self._clock = clock
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}  # by uid and receiver
        self._outcomes: dict[str, dict[str, Outcome]] = {}  # by uid, until they are written
        self._settled: dict[str, dict[str, Outcome]] = {}

    def settle(self, monitor: Object, spec: Spec, status: Object) -> list[Object]:
        """Return the records for the status after the attempts that have ended."""
        uid = monitor["metadata"]["uid"]
        outcomes = self._settled[uid] = dict(self._outcomes.get(uid, {}))
        before = {**status, "notified": monitor["status"].get("notified", [])}
        return settled(before, spec.notify, outcomes, self._clock())

    def send_due(self, monitor: Object, spec: Spec) -> float | None:
        """Start what is due by the written status; return the seconds until more will be."""
        uid, status, now = monitor["metadata"]["uid"], monitor["status"], self._clock()
        pending = self._outcomes.pop(uid, {})
        written = self._settled.pop(uid, {})
        pending = {name: each for name, each in pending.items() if written.get(name) is not each}
        if pending:  # of attempts that have ended since
            self._outcomes[uid] = pending
        checks = []
        for receiver in spec.notify:
            record = record_of(status, receiver)
            wanted = due(record, status, receiver, now)
            is_active = (uid, receiver.name) in self._tasks or receiver.name in pending
            if wanted and not is_active:
                task = asyncio.create_task(self._deliver(monitor, receiver, wanted))
                self._tasks[uid, receiver.name] = task
            later = next_check(record, status, receiver, now)
            if later and later > now:
                checks.append((later - now).total_seconds())
        return min(checks, default=None)

    async def close(self) -> None:
        """Cancel the deliveries; the status still has them as due."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, monitor: Object, receiver: Receiver, wanted: Due) -> None:
        metadata = monitor["metadata"]
        try:
            await self._sender.send(monitor, receiver, wanted, self._clock)
            outcome = Outcome(wanted.health)
        except (DeliveryError, ApiError) as error:
            outcome = Outcome(wanted.health, str(error))
        except Exception as error:
            log.exception("failed to notify %s", receiver.name)
            outcome = Outcome(wanted.health, f"internal error: {type(error).__name__}")
        finally:
            self._tasks.pop((metadata["uid"], receiver.name), None)
        NOTIFICATIONS.labels("failed" if outcome.error else "delivered").inc()
        self._outcomes.setdefault(metadata["uid"], {})[receiver.name] = outcome
        self._enqueue((metadata["namespace"], metadata["name"]))
