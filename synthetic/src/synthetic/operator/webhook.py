"""Send a notification to a webhook: its body, its signature, and the addresses it may reach."""

import asyncio
import hashlib
import hmac
import socket
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from synthetic import __version__
from synthetic.operator.api_client import ApiClient
from synthetic.operator.notification import Due
from synthetic.operator.public_addresses import (
    REFUSED_ADDRESS,
    AllowedAddresses,
    RefusedAddressError,
)
from synthetic.operator.receiver_secrets import DeliveryError, read_secret
from synthetic.operator.resources import Object
from synthetic.operator.spec import Receiver
from synthetic.trust import client_context

TIMEOUT = aiohttp.ClientTimeout(total=15)
CONCURRENCY = 8  # requests at a time
SCHEMES = ("http", "https")

Clock = Callable[[], datetime]


class WebhookSender:
    """Sends notifications to webhooks."""

    def __init__(self, api: ApiClient, allowed: AllowedAddresses) -> None:
        """Reach the addresses ``allowed`` alone."""
        self._api = api
        self._allowed = allowed
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(CONCURRENCY)  # a time-out does not include the wait for one

    async def __aenter__(self) -> Self:
        """Open the session."""
        connector = aiohttp.TCPConnector(
            ssl=client_context(), resolver=_GuardedResolver(self._allowed), limit=0
        )
        self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def send(self, monitor: Object, receiver: Receiver, due: Due, clock: Clock) -> None:
        """Send a notification.

        Raises:
            DeliveryError: the receiver did not accept it, or must not get it.
            ApiError: the API server is unavailable.

        """
        async with self._slots:
            await self._send(monitor, receiver, due, clock)

    async def _send(self, monitor: Object, receiver: Receiver, due: Due, clock: Clock) -> None:
        namespace = monitor["metadata"]["namespace"]
        location = await read_secret(self._api, namespace, receiver.url_from)
        key = await read_secret(self._api, namespace, receiver.signing_key)
        url = receiver.url or location.value.decode(errors="replace")
        host = _checked_host(url)
        location.check(host)
        key.check(host)
        try:
            self._allowed.check_literal(host)
        except RefusedAddressError as error:
            raise DeliveryError(str(error)) from None
        body = orjson.dumps(build_body(monitor, receiver, due))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"cadastro-synthetic/{__version__}",
            **sign(key.value, body, clock()),
        }
        await self._post(url, body, headers)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        assert self._session is not None, "the session is not open"  # noqa: S101 - a programming error
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            cause = error.__cause__ if isinstance(error.__cause__, RefusedAddressError) else None
            refused = str(cause) if cause else type(error).__name__
            raise DeliveryError(f"the receiver cannot be reached: {refused}") from None
        if not 200 <= status < 300:  # noqa: PLR2004 - success as HTTP defines it
            raise DeliveryError(f"the receiver responded with {status}")


def build_body(monitor: Object, receiver: Receiver, due: Due) -> Object:
    """Return the body of a notification."""
    metadata, spec, status = monitor["metadata"], monitor["spec"], monitor["status"]
    healthy = next(each for each in status["conditions"] if each["type"] == "Healthy")
    since = healthy["lastTransitionTime"]
    cause = f"{metadata['uid']} {receiver.name} {due.health} {since}"
    return {
        "version": 1,
        "id": hashlib.sha256(cause.encode()).hexdigest()[:32],  # the same for each attempt
        "event": "healthy" if due.health == "True" else "unhealthy",
        "resent": due.resent,
        "monitor": {
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "journey": spec["journey"],
            "severity": spec.get("severity", "critical"),
            "target": status.get("target", ""),
        },
        "reason": healthy["reason"],
        "message": healthy["message"],
        "since": since,
    }


def sign(key: bytes, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers with the time and the signature of both; none without a key."""
    if not key:
        return {}
    moment = str(int(now.timestamp()))
    digest = hmac.new(key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Synthetic-Timestamp": moment, "X-Synthetic-Signature-256": f"sha256={digest}"}


def _checked_host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
        parts = urlsplit("")
    if parts.scheme not in SCHEMES or not host:
        raise DeliveryError("the URL of the receiver is not like https://hooks.example/path")
    return host


class _GuardedResolver(AbstractResolver):
    """Resolves host names to allowed addresses alone, whatever they resolved to before."""

    def __init__(self, allowed: AllowedAddresses) -> None:
        self._allowed = allowed
        self._resolver: ThreadedResolver | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._resolver is None:
            self._resolver = ThreadedResolver()
        found = await self._resolver.resolve(host, port, family)
        allowed = [each for each in found if ip_address(each["host"]) in self._allowed]
        if not allowed:
            raise RefusedAddressError(REFUSED_ADDRESS)
        return allowed

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
