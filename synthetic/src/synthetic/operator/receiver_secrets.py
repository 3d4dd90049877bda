"""Secrets with the URLs and keys of receivers, which their owners allow for a destination."""

import base64
import binascii
from dataclasses import dataclass

from synthetic.operator.api_client import ApiClient
from synthetic.operator.resources import SECRETS, Object
from synthetic.operator.secret_binding import HOSTS_ANNOTATION, parse_hosts
from synthetic.operator.spec import ObjectKey

SERVICES_ANNOTATION = "monitoring.cadastro.dev/notify-services"
ANY = "*"


class DeliveryError(Exception):
    """A notification was not accepted; the message has no value of a Secret."""


@dataclass(frozen=True)
class SecretValue:
    """A value of a Secret, and the destinations that an annotation of it allows."""

    value: bytes
    name: str
    annotation: str
    allowed: tuple[str, ...]

    def check(self, destination: str) -> None:
        """Raise ``DeliveryError`` unless the owner of the Secret allows a destination."""
        if destination not in self.allowed and ANY not in self.allowed:
            kind = "host" if self.annotation == HOSTS_ANNOTATION else "service"
            fix = ",".join([*self.allowed, kind.upper()])
            raise DeliveryError(
                f"the Secret {self.name} does not allow the {kind} of the receiver. Its owner may "
                f"run: kubectl annotate secret {self.name} --overwrite {self.annotation}={fix}"
            )


NO_VALUE = SecretValue(b"", "", "", (ANY,))


async def read_secret(
    api: ApiClient, namespace: str, source: ObjectKey | None, annotation: str = HOSTS_ANNOTATION
) -> SecretValue:
    """Return a value of a Secret whose owner allows any destination at all.

    Raises:
        DeliveryError: there is no such value, or the owner allows nothing.
        ApiError: the API server is unavailable.

    """
    if source is None:
        return NO_VALUE
    secret: Object | None = await api.get(SECRETS, namespace, source.name)
    if secret is None:
        raise DeliveryError(f"the Secret {source.name} does not exist")
    annotations = secret["metadata"].get("annotations") or {}
    allowed = tuple(parse_hosts(annotations.get(annotation, "")))
    if not allowed:
        SecretValue(b"", source.name, annotation, allowed).check("")
    try:
        value = base64.b64decode((secret.get("data") or {})[source.key], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise DeliveryError(f"the Secret {source.name} has no key {source.key}") from None
    return SecretValue(value.strip(), source.name, annotation, allowed)
