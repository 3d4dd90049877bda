"""Send a notification by the kind of its receiver."""

from collections.abc import Iterable
from typing import Self

from synthetic.operator.api_client import ApiClient
from synthetic.operator.notification import Due
from synthetic.operator.public_addresses import AllowedAddresses
from synthetic.operator.resources import Object
from synthetic.operator.service_notification import ServiceSender
from synthetic.operator.spec import Receiver
from synthetic.operator.webhook import Clock, WebhookSender


class NotificationSender:
    """Sends notifications to webhooks and services."""

    def __init__(self, api: ApiClient, networks: Iterable[str]) -> None:
        """Allow public addresses, and those of ``networks``."""
        allowed = AllowedAddresses(networks)
        self._webhooks = WebhookSender(api, allowed)
        self._services = ServiceSender(api, allowed)

    async def __aenter__(self) -> Self:
        """Open the session of the webhooks."""
        await self._webhooks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self._webhooks.__aexit__()

    async def send(self, monitor: Object, receiver: Receiver, due: Due, clock: Clock) -> None:
        """Send a notification.

        Raises:
            DeliveryError: the receiver did not accept it, or must not get it.
            ApiError: the API server is unavailable.

        """
        if receiver.service is not None:
            await self._services.send(monitor, receiver, due)
        else:
            await self._webhooks.send(monitor, receiver, due, clock)
