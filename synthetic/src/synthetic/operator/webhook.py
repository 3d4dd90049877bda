"""Send a notification to a webhook: its body, its signature, and the addresses it may reach.

The author of a monitor chooses the URL, and the operator sends from its own network. Addresses
that are not public are therefore refused, unless the operator's settings allow their network.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from synthetic import __version__
from synthetic.operator.api_client import ApiClient
from synthetic.operator.notification import Due
from synthetic.operator.resources import SECRETS, Object
from synthetic.operator.secret_binding import ANY_HOST, HOSTS_ANNOTATION, parse_hosts
from synthetic.operator.spec import ObjectKey, Receiver

TIMEOUT = aiohttp.ClientTimeout(total=15)
CONCURRENCY = 8  # requests at a time
SCHEMES = ("http", "https")

REFUSED_ADDRESS = (
    "its address is not public, and in no network of the setting NOTIFY_NETWORKS of the operator"
)
# NAT64 and 6to4 contain IPv4 addresses, which may be private
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"))

Network = IPv4Network | IPv6Network
Clock = Callable[[], datetime]


class DeliveryError(Exception):
    """A notification was not accepted; the message has no value of a Secret."""


class WebhookSender:
    """Sends notifications to webhooks."""

    def __init__(self, api: ApiClient, networks: Iterable[str]) -> None:
        """Allow public addresses, and those of ``networks``."""
        self._api = api
        self._resolver = _GuardedResolver(tuple(map(ip_network, networks)))
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(CONCURRENCY)  # a time-out does not include the wait for one

    async def __aenter__(self) -> Self:
        """Open the session."""
        connector = aiohttp.TCPConnector(resolver=self._resolver, limit=0)
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
        location = await self._secret_value(namespace, receiver.url_from)
        key = await self._secret_value(namespace, receiver.signing_key)
        url = receiver.url or location.value.decode(errors="replace")
        host = _checked_host(url)
        location.check(host)
        key.check(host)
        self._resolver.check_literal(host)
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
            cause = error.__cause__ if isinstance(error.__cause__, _RefusedAddressError) else None
            refused = str(cause) if cause else type(error).__name__
            raise DeliveryError(f"the receiver cannot be reached: {refused}") from None
        if not 200 <= status < 300:  # noqa: PLR2004 - success as HTTP defines it
            raise DeliveryError(f"the receiver responded with {status}")

    async def _secret_value(self, namespace: str, source: ObjectKey | None) -> "_SecretValue":
        """Return a value of a Secret whose owner allows any host at all."""
        if source is None:
            return NO_VALUE
        secret = await self._api.get(SECRETS, namespace, source.name)
        if secret is None:
            raise DeliveryError(f"the Secret {source.name} does not exist")
        annotations = secret["metadata"].get("annotations") or {}
        allowed = tuple(parse_hosts(annotations.get(HOSTS_ANNOTATION, "")))
        if not allowed:
            raise _not_allowed(source.name, allowed)
        try:
            value = base64.b64decode((secret.get("data") or {})[source.key], validate=True)
        except (KeyError, TypeError, binascii.Error):
            raise DeliveryError(f"the Secret {source.name} has no key {source.key}") from None
        return _SecretValue(value.strip(), source.name, allowed)


@dataclass(frozen=True)
class _SecretValue:
    value: bytes
    name: str
    allowed: tuple[str, ...]

    def check(self, host: str) -> None:
        """Raise ``DeliveryError`` unless the owner of the Secret allows a host."""
        if host not in self.allowed and ANY_HOST not in self.allowed:
            raise _not_allowed(self.name, self.allowed)


NO_VALUE = _SecretValue(b"", "", (ANY_HOST,))


def _not_allowed(name: str, allowed: tuple[str, ...]) -> DeliveryError:
    fix = ",".join([*allowed, "HOST"])
    return DeliveryError(
        f"the Secret {name} does not allow the host of the receiver. Its owner may run: "
        f"kubectl annotate secret {name} --overwrite {HOSTS_ANNOTATION}={fix}"
    )


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


class _RefusedAddressError(OSError):
    """No address of a host is allowed."""


class _GuardedResolver(AbstractResolver):
    """Resolves host names to allowed addresses alone, whatever they resolved to before."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self._networks = networks
        self._resolver: ThreadedResolver | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._resolver is None:
            self._resolver = ThreadedResolver()
        found = await self._resolver.resolve(host, port, family)
        allowed = [each for each in found if self._is_allowed(ip_address(each["host"]))]
        if not allowed:
            raise _RefusedAddressError(REFUSED_ADDRESS)
        return allowed

    def check_literal(self, host: str) -> None:
        """Raise ``DeliveryError`` if a host is an address that is not allowed."""
        try:
            address = ip_address(host)
        except ValueError:
            return
        if not self._is_allowed(address):
            raise DeliveryError(REFUSED_ADDRESS)

    def _is_allowed(self, address: IPv4Address | IPv6Address) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        is_public = plain.is_global and not plain.is_multicast
        is_public = is_public and not any(plain in each for each in TRANSLATED)
        return is_public or any(plain in network for network in self._networks)

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
