"""Resolve the URL of a monitor's target: from its spec, or from an Ingress."""

from synthetic.operator.api_client import ApiClient
from synthetic.operator.resources import INGRESSES, Object
from synthetic.operator.spec import Spec, SpecError


async def find_url(api: ApiClient, namespace: str, spec: Spec) -> str:
    """Return the URL of a monitor's target.

    Raises:
        SpecError: the Ingress does not exist, or has no address yet.

    """
    if spec.url:
        return spec.url
    ingress = await api.get(INGRESSES, namespace, spec.ingress)
    if ingress is None:
        raise SpecError(
            "NoIngress",
            f"the Ingress {spec.ingress} of spec.target.ingress does not exist here",
        )
    return ingress_url(ingress)


def ingress_url(ingress: Object) -> str:
    """Return the URL of an Ingress from its first usable host, or else from its address.

    A wildcard host is no name that can be resolved.

    Raises:
        SpecError: the Ingress has no usable host and no address.

    """
    spec, name = ingress["spec"], ingress["metadata"]["name"]
    hosts = [rule.get("host") or "" for rule in spec.get("rules") or []]
    for host in hosts:
        if host and not host.startswith("*"):
            return f"{_scheme(spec, host)}://{host}"
    if any(hosts):
        raise SpecError(
            "NoAddress",
            f"The Ingress {name} has only wildcard hosts: set spec.target.url to a name of one",
        )
    for point in (ingress.get("status") or {}).get("loadBalancer", {}).get("ingress") or []:
        address = point.get("hostname") or point.get("ip")
        if address:
            return f"{'https' if spec.get('tls') else 'http'}://{_bracketed(address)}"
    raise SpecError(
        "NoAddress",
        f"The Ingress {name} has no address yet: wait for its controller, or set spec.target.url",
    )


def _scheme(spec: Object, host: str) -> str:
    """Return https if an entry of ``tls`` covers the host; one without hosts covers all."""
    wildcard = f"*.{host.partition('.')[2]}"
    for entry in spec.get("tls") or []:
        covered = entry.get("hosts") or [host]
        if host in covered or wildcard in covered:
            return "https"
    return "http"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
