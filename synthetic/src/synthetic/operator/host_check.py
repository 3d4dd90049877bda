"""Hosts that a probe can reach from its pod, and the reasons why others are unusable."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def host_problem(host: str) -> str:
    """Return why a host name or an address cannot be a target; an empty text if it can."""
    problem = own_pod_problem(host)
    if problem:
        return problem
    name = host.lower().removesuffix(".")
    address = _address(name)
    if address is not None:
        problem = _address_problem(address)
        return f"{host} {problem}" if problem else ""
    if "*" in host:
        return f"{host} is a wildcard"
    return "" if _NAME.fullmatch(name) else f"{host} is no host name"


def own_pod_problem(host: str) -> str:
    """Return why a host is the pod that calls it; an empty text if it is another one."""
    name = host.lower().removesuffix(".")
    address = _address(name)
    if address is not None and address.is_loopback:
        return f"{host} is a loopback address, the probe's own pod"
    if address is not None and address.is_unspecified:
        return f"{host} is the unspecified address, the probe's own pod"
    is_local = name in LOCAL_NAMES or name.endswith(".localhost")
    return f"{host} is the probe's own pod" if is_local else ""


def bracketed(host: str) -> str:
    """Return a host as URLs have it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _address_problem(address: IPv4Address | IPv6Address) -> str:
    if address.is_link_local:
        return "is a link-local address"
    return "is a multicast address" if address.is_multicast else ""
