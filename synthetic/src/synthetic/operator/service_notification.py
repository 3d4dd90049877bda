"""Send a notification to a service that Apprise knows, such as Slack or a mail server."""

import asyncio
import sys

from synthetic.operator.api_client import ApiClient
from synthetic.operator.notification import HEALTHY, Due
from synthetic.operator.public_addresses import AllowedAddresses
from synthetic.operator.receiver_secrets import SERVICES_ANNOTATION, DeliveryError, read_secret
from synthetic.operator.resources import Object
from synthetic.operator.service_delivery import Delivery
from synthetic.operator.spec import Receiver

# schemes of Apprise's URLs; others connect without requests and smtplib, or to this machine
SERVICES = frozenset(
    (
        *("discord", "gchat", "gotify", "gotifys", "mailto", "mailtos", "matrix", "matrixs"),
        *("mmost", "mmosts", "ntfy", "ntfys", "pagerduty", "pover", "rocket", "rockets"),
        *("slack", "tgram", "webex", "workflow", "workflows", "zulip"),
    )
)
TIMEOUT = 60  # seconds, with the start of the process
PROCESS = [sys.executable, "-P", "-m", "synthetic.operator.service_delivery"]
ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}  # no proxy, and nothing to tell


class ServiceSender:
    """Sends notifications to services, one at a time for the sake of memory."""

    def __init__(self, api: ApiClient, allowed: AllowedAddresses) -> None:
        """Reach the addresses ``allowed`` alone."""
        self._api = api
        self._networks = tuple(map(str, allowed.networks))
        self._slot = asyncio.Semaphore(1)

    async def send(self, monitor: Object, receiver: Receiver, due: Due) -> None:
        """Send a notification.

        Raises:
            DeliveryError: the service did not accept it, or must not get it.
            ApiError: the API server is unavailable.

        """
        namespace = monitor["metadata"]["namespace"]
        secret = await read_secret(self._api, namespace, receiver.service, SERVICES_ANNOTATION)
        url = secret.value.decode(errors="replace")
        service = url.partition("://")[0].lower()
        if service not in SERVICES:
            known = ", ".join(sorted(SERVICES))
            raise DeliveryError(f"the URL of the receiver starts with none of {known} and ://")
        secret.check(service)
        title, body = compose(monitor, due)
        delivery = Delivery(
            url=url,
            title=title,
            body=body,
            is_recovery=due.health == HEALTHY,
            key=monitor["metadata"]["uid"],
            networks=self._networks,
        )
        async with self._slot:
            if error := await _run(delivery.to_json()):
                raise DeliveryError(error)


def compose(monitor: Object, due: Due) -> tuple[str, str]:
    """Return the title and the text of a notification."""
    metadata, status = monitor["metadata"], monitor["status"]
    healthy = next(each for each in status["conditions"] if each["type"] == "Healthy")
    if due.health == HEALTHY:
        state = "is healthy again"
    else:
        state = "is still unhealthy" if due.resent else "is unhealthy"
    lines = [
        healthy["message"],
        f"Since: {healthy['lastTransitionTime']}",
        f"Target: {status.get('target', '')}",
        f"Severity: {monitor['spec'].get('severity', 'critical')}",
    ]
    return f"{metadata['namespace']}/{metadata['name']} {state}", "\n".join(lines)


async def _run(document: bytes) -> str:
    """Run the process; return why the delivery failed, or an empty text."""
    process = await asyncio.create_subprocess_exec(
        *PROCESS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # tracebacks have values
        env=ENVIRONMENT,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            output, _ = await process.communicate(document)
    except TimeoutError:
        return f"the service did not respond within {TIMEOUT} seconds"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        return f"the delivery ended with the exit code {process.returncode}"
    return output.decode()
