"""Addresses that notifications may reach: public ones, and those of networks in the settings.

The author of a monitor chooses the receiver, and the operator sends from its own network.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

REFUSED_ADDRESS = (
    "its address is not public, and in no network of the setting NOTIFY_NETWORKS of the operator"
)
# NAT64 and 6to4 contain IPv4 addresses, which may be private
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"))


class RefusedAddressError(OSError):
    """No address of a host is allowed."""


class AllowedAddresses:
    """Public addresses, and those of some networks."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Allow ``networks``, in the notation 10.96.0.0/12, beside public addresses."""
        self.networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, networks))

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        """Return whether notifications may reach an address."""
        plain = getattr(address, "ipv4_mapped", None) or address
        is_public = plain.is_global and not plain.is_multicast
        is_public = is_public and not any(plain in each for each in TRANSLATED)
        return is_public or any(plain in network for network in self.networks)

    def check_literal(self, host: str) -> None:
        """Raise ``RefusedAddressError`` if a host is an address that is not allowed."""
        try:
            address = ip_address(host)
        except ValueError:
            return
        if address not in self:
            raise RefusedAddressError(REFUSED_ADDRESS)
