"""Hosts that may receive secrets: the operator passes on the annotations of the Secrets."""

from collections.abc import Mapping

ANY_HOST = "*"

AllowedHosts = frozenset[str] | None  # None for all


def parse_hosts(environment: Mapping[str, str], variable: str) -> AllowedHosts:
    """Return the hosts of an environment variable, with commas between them."""
    text = environment.get(variable)
    return None if text is None else frozenset(filter(None, text.lower().split(",")))


def is_allowed(host: str, hosts: AllowedHosts) -> bool:
    """Return whether a host may receive the secrets."""
    return hosts is None or not hosts.isdisjoint({host.lower(), ANY_HOST})
