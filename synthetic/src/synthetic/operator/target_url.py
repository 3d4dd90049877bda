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
    """Return the URL of an Ingress from its first host, or else from its address."""
    scheme = "https" if ingress["spec"].get("tls") else "http"
    for rule in ingress["spec"].get("rules", []):
        if rule.get("host"):
            return f"{scheme}://{rule['host']}"
    for point in ingress.get("status", {}).get("loadBalancer", {}).get("ingress", []):
        return f"{scheme}://{point.get('hostname') or _bracketed(point['ip'])}"
    raise SpecError(
        "NoAddress",
        f"The Ingress {ingress['metadata']['name']} has no address yet: "
        "wait for its controller, or set spec.target.url",
    )


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
