"""Resolve the URL of a monitor's target: from its spec, or from an object in the cluster."""

from urllib.parse import urlsplit

from synthetic.operator.api_client import FORBIDDEN, ApiClient, ApiError
from synthetic.operator.gateway_url import Parent, accepted_parents, gateway_url, route_url
from synthetic.operator.host_check import DEFAULT_PORTS, own_pod_problem
from synthetic.operator.ingress_url import ingress_url
from synthetic.operator.resources import GATEWAYS, HTTP_ROUTES, INGRESSES, Object, Resource
from synthetic.operator.spec import SpecError
from synthetic.operator.target import Target


async def find_url(api: ApiClient, namespace: str, target: Target) -> str:
    """Return the URL of a monitor's target.

    Raises:
        SpecError: the object of the target does not exist, or has no usable address.
        ApiError: the operator may not read it, or the API server is unavailable.

    """
    match target.field:
        case "ingress":
            return ingress_url(await _get(api, INGRESSES, namespace, target))
        case "gateway":
            gateway = await _get(api, GATEWAYS, namespace, target)
            return gateway_url(gateway, target.listener)
        case "httpRoute":
            route = await _get(api, HTTP_ROUTES, namespace, target)
            return route_url(route, await _gateways(api, accepted_parents(route)))
        case "service":
            return service_url(namespace, target)
    problem = own_pod_problem(urlsplit(target.url).hostname or "")
    if problem:
        raise SpecError(
            "NoAddress",
            f"spec.target.url: {problem}. Set it to an address that pods reach, such as "
            "http://SERVICE.NAMESPACE.svc:PORT, or set spec.target.service instead",
        )
    return target.url


def service_url(namespace: str, target: Target) -> str:
    """Return the URL of a Service by its name in the DNS of the cluster.

    The Service may be missing: its monitor then fails with the reason ``dns``.
    """
    suffix = "" if target.port == DEFAULT_PORTS[target.scheme] else f":{target.port}"
    return f"{target.scheme}://{target.name}.{namespace}.svc{suffix}{target.path}"


async def _gateways(api: ApiClient, parents: list[Parent]) -> list[tuple[Parent, Object | None]]:
    places = dict.fromkeys((parent.namespace, parent.name) for parent in parents)
    found = {place: await _gateway(api, *place) for place in places}
    return [(parent, found[parent.namespace, parent.name]) for parent in parents]


async def _gateway(api: ApiClient, namespace: str, name: str) -> Object | None:
    """Return a Gateway that accepted a route, which may be in another namespace."""
    try:
        return await api.get(GATEWAYS, namespace, name)
    except ApiError as error:
        if error.status != FORBIDDEN:
            raise
        raise SpecError(
            "Forbidden",
            f"The operator may not get the Gateway {name} in the namespace {namespace}: add a "
            "RoleBinding there, as the chart does for global.gateway.parentRefs, or set "
            "spec.target.url",
        ) from error


async def _get(api: ApiClient, resource: Resource, namespace: str, target: Target) -> Object:
    found = await api.get(resource, namespace, target.name)
    if found is not None:
        return found
    if not await api.has_resource(resource):
        raise SpecError(
            f"No{target.kind}",
            f"The cluster has no kind {target.kind} ({resource.prefix.removeprefix('/apis/')}): "
            f"install it, or set spec.target.url instead of spec.target.{target.field}",
        )
    raise SpecError(
        f"No{target.kind}",
        f"The {target.kind} {target.name} of spec.target.{target.field} does not exist in the "
        f"namespace {namespace}: create it, or correct the name",
    )
