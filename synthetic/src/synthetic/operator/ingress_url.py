"""The URL of an Ingress: from its hosts, or else from the addresses that its controller reports."""

from collections.abc import Iterator

from synthetic.operator.host_check import DEFAULT_PORTS, bracketed, host_problem
from synthetic.operator.resources import Object
from synthetic.operator.spec import SpecError

TCP = "TCP"


def ingress_url(ingress: Object) -> str:
    """Return the URL of an Ingress from its first usable host, or else from its address.

    An address serves only rules without a host.

    Raises:
        SpecError: the Ingress has neither a usable host nor a usable address.

    """
    spec, name = ingress.get("spec") or {}, ingress["metadata"]["name"]
    rules = spec.get("rules") or []
    hosts = [host for rule in rules if (host := rule.get("host"))]
    usable = [host for host in hosts if not host_problem(host)]
    if usable:
        _require_tls_of(name, spec, usable)
        return f"{_scheme(spec, usable[0])}://{bracketed(usable[0])}"
    if hosts and len(hosts) == len(rules):
        problems = "; ".join(map(host_problem, hosts))
        raise _no_address(f"The Ingress {name} has no usable host: {problems}")
    return _address_url(ingress, name)


def _require_tls_of(name: str, spec: Object, hosts: list[str]) -> None:
    """Raise ``SpecError`` if TLS is only for hosts that no rule has, as after a renaming."""
    entries = spec.get("tls")
    if entries and all(_scheme(spec, host) == "http" for host in hosts):
        raise SpecError(
            "NoAddress",
            f"The Ingress {name} has TLS for {_tls_hosts(spec)}, and not for {hosts[0]}: "
            "add the host to its spec.tls, or set spec.target.url",
        )


def _address_url(ingress: Object, name: str) -> str:
    spec = ingress.get("spec") or {}
    entries = spec.get("tls") or []
    if entries and all(entry.get("hosts") for entry in entries):
        raise SpecError(
            "NoAddress",
            f"The Ingress {name} has TLS for {_tls_hosts(spec)}, and a rule without a host: "
            "give its rule the host, or set spec.target.url",
        )
    problems = []
    scheme = "https" if entries else "http"
    for host, point in _points(ingress):
        problem = host_problem(host)
        port, failure = _port(point, DEFAULT_PORTS[scheme])
        if not problem and not failure:
            suffix = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
            return f"{scheme}://{bracketed(host)}{suffix}"
        problems.append(problem or f"{host} {failure}")
    if problems:
        found = "; ".join(dict.fromkeys(problems))
        raise _no_address(f"The Ingress {name} has no usable address: {found}")
    raise SpecError(
        "NoAddress",
        f"The Ingress {name} has no address yet: wait for its controller, or set spec.target.url",
    )


def _points(ingress: Object) -> Iterator[tuple[str, Object]]:
    """Yield the host names and the addresses of the load balancer, in the order of its status."""
    balancer = (ingress.get("status") or {}).get("loadBalancer") or {}
    for point in balancer.get("ingress") or []:
        for key in ("hostname", "ip"):
            if point.get(key):
                yield point[key], point


def _port(point: Object, default: int) -> tuple[int, str]:
    """Return the port of a load balancer's entry, or the reason why none can be used."""
    ports = [each for each in point.get("ports") or [] if each.get("protocol", TCP) == TCP]
    usable = [int(each["port"]) for each in ports if not each.get("error")]
    if default in usable or not point.get("ports"):
        return default, ""
    if usable:
        return usable[0], ""
    errors = ", ".join(f"port {each['port']}: {each['error']}" for each in ports)
    return 0, f"has no TCP port without an error ({errors or 'no TCP port'})"


def _scheme(spec: Object, host: str) -> str:
    """Return https if an entry of ``tls`` covers the host; one without hosts covers all."""
    wildcard = f"*.{host.partition('.')[2]}"
    for entry in spec.get("tls") or []:
        covered = entry.get("hosts") or [host]
        if host in covered or wildcard in covered:
            return "https"
    return "http"


def _tls_hosts(spec: Object) -> str:
    return ", ".join(host for entry in spec["tls"] for host in entry.get("hosts") or [])


def _no_address(problem: str) -> SpecError:
    return SpecError("NoAddress", f"{problem}. Set spec.target.url to the URL of the system")
