"""Resolve the URL of a monitor's target: from its spec, or from an Ingress."""

from synthetic.operator.api_client import ApiClient
from synthetic.operator.ingress_url import ingress_url
from synthetic.operator.resources import INGRESSES
from synthetic.operator.spec import Spec, SpecError


async def find_url(api: ApiClient, namespace: str, spec: Spec) -> str:
    """Return the URL of a monitor's target.

    Raises:
        SpecError: the Ingress does not exist, or has no usable address.

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
