"""Binding of Secrets to the hosts that may receive their values.

Creating a monitor needs no access to Secrets, and the monitor chooses the servers that its probe
logs in to. The owner of a Secret therefore lists the hosts in an annotation. The operator rejects
other targets, and the probe other token endpoints of a custom contract.

Inputs have an annotation of their own: a journey can store them where its author may read them,
while credentials reach only the authentication of a host.
"""

from typing import NamedTuple
from urllib.parse import urlsplit

from synthetic.operator.api_client import ApiClient
from synthetic.operator.resources import GROUP, SECRETS
from synthetic.operator.spec import Spec, SpecError
from synthetic.operator.spec_references import (
    CERTIFICATE,
    CREDENTIALS,
    INPUTS,
    SECRET,
    Reference,
    references,
)

HOSTS_ANNOTATION = f"{GROUP}/hosts"
INPUT_HOSTS_ANNOTATION = f"{GROUP}/input-hosts"
ANY_HOST = "*"


class BoundHosts(NamedTuple):
    """The hosts that may receive the credentials, inputs and certificate of a monitor."""

    credentials: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    certificate: tuple[str, ...] = ()


NO_HOSTS = BoundHosts()


class _Called(NamedTuple):
    """The hosts that a probe calls.

    A proxy is one of them: it reads plain requests, and with an authority of the monitor all.
    """

    target: str
    binding: str  # the entry of an annotation that allows the target, beside its host
    others: tuple[str, ...]


async def bound_hosts(api: ApiClient, namespace: str, spec: Spec, url: str) -> BoundHosts:
    """Return the hosts that may receive the values of a monitor's Secrets; none without Secrets.

    Raises:
        SpecError: a Secret does not allow the host of a server or of the proxy.

    """
    others = [*spec.servers.values(), *([spec.proxy] if spec.proxy else [])]
    called = _Called(_host(url), spec.target.binding, tuple(map(_host, others)))
    secrets = [each for each in references(spec) if each.kind == SECRET]
    allowed = {each.field: await _allowed(api, namespace, each, called) for each in secrets}
    inputs = [hosts for field, hosts in allowed.items() if field.startswith(INPUTS)]
    return BoundHosts(
        tuple(sorted(allowed.get(CREDENTIALS, ()))),
        tuple(sorted(_common(inputs))),
        tuple(sorted(allowed.get(CERTIFICATE, ()))),
    )


async def _allowed(
    api: ApiClient, namespace: str, reference: Reference, called: _Called
) -> set[str]:
    """Return the hosts that a Secret allows; none if it does not exist.

    Raises:
        SpecError: it does not allow a host that the probe calls.

    """
    name = reference.name
    annotation = INPUT_HOSTS_ANNOTATION if reference.field.startswith(INPUTS) else HOSTS_ANNOTATION
    secret = await api.get_metadata(SECRETS, namespace, name)
    if secret is None:
        return set()  # the pod waits for the Secret, and is created again with its hosts
    annotations = secret["metadata"].get("annotations") or {}
    allowed = parse_hosts(annotations.get(annotation, ""))
    if called.binding in allowed:
        allowed.append(called.target)
    hosts = dict.fromkeys((called.target, *called.others))
    missing = [host for host in hosts if host not in allowed]
    if missing and ANY_HOST not in allowed:
        fix = ",".join([*allowed, *missing])
        raise SpecError(
            "SecretNotBound",
            f"The Secret {name} of {reference.field} does not allow the host {missing[0]}. "
            f"Its owner may run: kubectl annotate secret {name} --overwrite {annotation}={fix}",
        )
    return {entry for entry in allowed if "/" not in entry}


def _common(allowed: list[set[str]]) -> set[str]:
    """Return the hosts that all Secrets allow."""
    return {
        host
        for hosts in allowed
        for host in hosts
        if all(not each.isdisjoint({host, ANY_HOST}) for each in allowed)
    }


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def parse_hosts(text: str) -> list[str]:
    """Return the entries: hosts, objects like ``ingress/NAME``, or ``*`` for any host."""
    return [entry.strip().lower() for entry in text.split(",") if entry.strip()]
