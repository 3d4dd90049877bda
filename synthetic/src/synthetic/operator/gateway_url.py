"""The URL of an HTTPRoute or a Gateway of the Gateway API (gateway.networking.k8s.io/v1).

A host name is preferred to an address, and for host names HTTPS to HTTP, which often redirects
only. For an address HTTP is preferred, since certificates rarely contain addresses.
"""

from collections.abc import Iterable
from typing import NamedTuple

from synthetic.operator.host_check import DEFAULT_PORTS, bracketed, host_problem
from synthetic.operator.resources import GATEWAY_GROUP, Object
from synthetic.operator.spec import SpecError

SCHEMES = {"HTTP": "http", "HTTPS": "https"}  # by protocol of a listener; others carry no HTTP
ADDRESS_TYPES = ("IPAddress", "Hostname")
LISTENER_CONDITIONS = ("Accepted", "Programmed")


class Parent(NamedTuple):
    """A reference of a route to the Gateway, or to a part of it, that accepted the route."""

    namespace: str
    name: str
    section: str
    port: int


class Candidate(NamedTuple):
    """A listener, and the host names under which it serves the target; none for all names."""

    gateway: Object
    scheme: str
    port: int
    hosts: tuple[str, ...]


def gateway_url(gateway: Object, listener: str) -> str:
    """Return the URL of a Gateway's listener, or of its first usable one.

    Raises:
        SpecError: there is no such listener, or it has no usable address.

    """
    name = gateway["metadata"]["name"]
    listeners = _listeners(gateway)
    if listener and listener not in [each["name"] for each in listeners]:
        usable = ", ".join(each["name"] for each in listeners) or "none"
        raise _no_address(
            f"The Gateway {name} has no HTTP listener {listener} that is programmed ({usable})",
            "name another one in spec.target.gateway.listener, or set spec.target.url",
        )
    candidates = [
        _candidate(gateway, each, _names(each))
        for each in listeners
        if listener in {"", each["name"]}
    ]
    return _best_url(f"Gateway {name}", candidates)


def accepted_parents(route: Object) -> list[Parent]:
    """Return the references to Gateways that accepted a route.

    Raises:
        SpecError: no Gateway has.

    """
    metadata = route["metadata"]
    references = {
        parent
        for reference in (route.get("spec") or {}).get("parentRefs") or []
        if (parent := _parent(reference, metadata["namespace"]))
    }
    accepted, refusals = [], []
    for entry in (route.get("status") or {}).get("parents") or []:
        parent = _parent(entry["parentRef"], metadata["namespace"])
        condition = _condition(entry, "Accepted")
        if parent is None or parent not in references:
            continue  # a mesh, or a reference that the route no longer has
        if condition.get("status") == "True":
            accepted.append(parent)
        elif condition:
            refusals.append(f"{parent.name}: {condition.get('reason')}: {condition.get('message')}")
    if accepted:
        return list(dict.fromkeys(accepted))
    raise _no_address(
        f"No Gateway has accepted the HTTPRoute {metadata['name']}"
        + (f" ({'; '.join(refusals)})" if refusals else ""),
        "correct its parentRefs and hostnames, or set spec.target.url",
    )


def route_url(route: Object, parents: Iterable[tuple[Parent, Object | None]]) -> str:
    """Return the URL of a route through the Gateways that accepted it; None for a missing one.

    Raises:
        SpecError: no listener serves the route under a usable name or address.

    """
    hosts = tuple((route.get("spec") or {}).get("hostnames") or ())
    candidates = [
        _candidate(gateway, listener, names)
        for parent, gateway in parents
        if gateway is not None
        for listener in _listeners(gateway)
        if _is_referenced(parent, listener) and _allows(gateway, listener, route)
        if (names := _intersect(hosts, _names(listener))) is not None
    ]
    return _best_url(f"HTTPRoute {route['metadata']['name']}", candidates)


def _best_url(what: str, candidates: list[Candidate]) -> str:
    """Return the URL of the first usable host name, or else of the first usable address."""
    problems: list[str] = []
    for candidate in sorted(candidates, key=lambda each: each.scheme != "https"):
        problems += map(host_problem, candidate.hosts)
        usable = [host for host in candidate.hosts if not host_problem(host)]
        if usable:
            return _url(candidate, usable[0])
    for candidate in sorted(candidates, key=lambda each: each.scheme != "http"):
        if candidate.hosts:
            continue  # a request to the address would have a name that is not served
        for address in (candidate.gateway.get("status") or {}).get("addresses") or []:
            host = address["value"]
            is_host = address.get("type", ADDRESS_TYPES[0]) in ADDRESS_TYPES
            problem = host_problem(host) if is_host else f"{host} is no host name"
            if not problem:
                return _url(candidate, host)
            problems.append(problem)
    found = "; ".join(dict.fromkeys(filter(None, problems)))
    if not candidates:
        found = "no programmed listener for HTTP or HTTPS serves it"
    raise _no_address(
        f"The {what} has no usable address: {found or 'its Gateway has none yet'}",
        "give it a host name, or set spec.target.url",
    )


def _url(candidate: Candidate, host: str) -> str:
    is_default = candidate.port == DEFAULT_PORTS[candidate.scheme]
    return f"{candidate.scheme}://{bracketed(host)}{'' if is_default else f':{candidate.port}'}"


def _candidate(gateway: Object, listener: Object, hosts: tuple[str, ...]) -> Candidate:
    return Candidate(gateway, SCHEMES[listener["protocol"]], int(listener["port"]), hosts)


def _listeners(gateway: Object) -> list[Object]:
    """Return the listeners for HTTP and HTTPS that the controller has not rejected."""
    status = (gateway.get("status") or {}).get("listeners") or []
    rejected = {
        entry["name"]
        for entry in status
        if any(_condition(entry, kind).get("status") == "False" for kind in LISTENER_CONDITIONS)
    }
    return [
        listener
        for listener in (gateway.get("spec") or {}).get("listeners") or []
        if listener.get("protocol") in SCHEMES and listener["name"] not in rejected
    ]


def _is_referenced(parent: Parent, listener: Object) -> bool:
    return parent.section in {"", listener["name"]} and parent.port in {0, listener["port"]}


def _allows(gateway: Object, listener: Object, route: Object) -> bool:
    """Return whether a listener admits a route; a namespace selector is the controller's part."""
    allowed: Object = listener.get("allowedRoutes") or {}
    kinds = allowed.get("kinds")
    if kinds and "HTTPRoute" not in [kind.get("kind") for kind in kinds]:
        return False
    source = (allowed.get("namespaces") or {}).get("from", "Same")
    is_same = gateway["metadata"]["namespace"] == route["metadata"]["namespace"]
    return source in {"All", "Selector"} or (source == "Same" and is_same)


def _names(listener: Object) -> tuple[str, ...]:
    return (listener["hostname"],) if listener.get("hostname") else ()


def _intersect(route: tuple[str, ...], listener: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the common host names, where none stands for all names; None if there is none."""
    if not route or not listener:
        return route or listener
    (pattern,) = listener
    common = [
        host if _covers(pattern, host) else pattern
        for host in route
        if _covers(pattern, host) or _covers(host, pattern)
    ]
    return tuple(common) or None


def _covers(pattern: str, host: str) -> bool:
    """Return whether a host name, which may start with a wildcard, contains another one."""
    pattern, host = pattern.lower(), host.lower()
    return pattern == host or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _parent(reference: Object, namespace: str) -> Parent | None:
    """Return a reference with its defaults; None if it is to another kind than a Gateway."""
    if reference.get("group", GATEWAY_GROUP) != GATEWAY_GROUP:
        return None
    if reference.get("kind", "Gateway") != "Gateway":
        return None
    return Parent(
        reference.get("namespace") or namespace,
        reference["name"],
        reference.get("sectionName") or "",
        reference.get("port") or 0,
    )


def _condition(entry: Object, kind: str) -> Object:
    conditions: list[Object] = entry.get("conditions") or []
    return next((each for each in conditions if each.get("type") == kind), {})


def _no_address(problem: str, fix: str) -> SpecError:
    return SpecError("NoAddress", f"{problem}: {fix}")
