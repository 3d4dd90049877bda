"""Deliver one notification through Apprise, as a process of its own.

Apprise takes 50 MB and a second to load, and connects with requests or smtplib. In a process of
its own the operator gets the memory back, can end a delivery that hangs, and may replace the
resolution of names for all of these.
"""

import io
import json
import logging
import re
import socket
import sys
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from synthetic.operator.public_addresses import (
    REFUSED_ADDRESS,
    AllowedAddresses,
    RefusedAddressError,
)

APPLICATION = "Synthetic monitoring"
STATUS = re.compile(r"error=(\d{3})\b")


@dataclass(frozen=True)
class Delivery:
    """A notification as the operator passes it to the process."""

    url: str  # of Apprise
    title: str
    body: str
    is_recovery: bool
    key: str  # identifies the monitor, where a service groups notifications
    networks: tuple[str, ...]  # that may be reached beside public addresses

    def to_json(self) -> bytes:
        """Return what ``main`` reads."""
        return json.dumps(asdict(self)).encode()


def main() -> None:
    """Read a ``Delivery`` from standard input, and write why it failed, or nothing."""
    sys.stdout.write(deliver(Delivery(**json.load(sys.stdin))))


def deliver(delivery: Delivery) -> str:
    """Send a notification; return why it failed without values of the URL, or an empty text."""
    import apprise  # noqa: PLC0415 - the operator imports this module for its class

    refusals = guard_addresses(AllowedAddresses(delivery.networks))
    asset = apprise.AppriseAsset(
        app_id=APPLICATION, app_desc=APPLICATION, app_url="", async_mode=False
    )
    # a hosted service may not read files that a URL names
    receivers = apprise.Apprise(asset=asset, location=apprise.ContentLocation.HOSTED)
    if not receivers.add(with_key(delivery.url, delivery.key)):
        return "the URL of the receiver is not one of its service in Apprise's notation"
    log = io.StringIO()
    logging.getLogger("apprise").addHandler(logging.StreamHandler(log))
    is_sent = receivers.notify(
        title=delivery.title,
        body=delivery.body,
        notify_type=(
            apprise.NotifyType.SUCCESS if delivery.is_recovery else apprise.NotifyType.FAILURE
        ),
        body_format=apprise.NotifyFormat.TEXT,
    )
    if is_sent:
        return ""
    if refusals:
        return f"the service cannot be reached: {REFUSED_ADDRESS}"
    if status := STATUS.search(log.getvalue()):
        return f"the service responded with {status[1]}"
    return "the service cannot be reached, or did not accept the notification"


def guard_addresses(allowed: AllowedAddresses) -> list[str]:
    """Let this process resolve names to allowed addresses alone; return the refused hosts."""
    resolve = socket.getaddrinfo
    refused: list[str] = []

    def resolve_allowed(host: str, *args: Any, **kwargs: Any) -> list[Any]:  # noqa: ANN401 - its own
        found = resolve(host, *args, **kwargs)
        kept = [each for each in found if ip_address(str(each[4][0]).partition("%")[0]) in allowed]
        if not kept:
            refused.append(host)
            raise RefusedAddressError(REFUSED_ADDRESS)
        return kept

    setattr(socket, "getaddrinfo", resolve_allowed)  # noqa: B010 - its type has more overloads
    return refused


def with_key(url: str, key: str) -> str:
    """Return the URL with which PagerDuty resolves the incident of a monitor at its recovery."""
    parts = urlsplit(url)
    if parts.scheme != "pagerduty" or not {"action", "dedup"}.isdisjoint(parse_qs(parts.query)):
        return url
    return f"{url}{'&' if parts.query else '?'}{urlencode({'action': 'map', 'dedup': key})}"


if __name__ == "__main__":
    main()
