"""Transport of requests: redirects, a proxy, and the client's certificate."""

from typing import NamedTuple

from synthetic.probe.allowed_hosts import AllowedHosts


class Proxy(NamedTuple):
    """An HTTP proxy, and the value of Proxy-Authorization, which may be empty."""

    host: str
    port: int
    authorization: str = ""


class Transport(NamedTuple):
    """Options of all requests of a run; environment variables of other programs have no effect."""

    max_redirects: int = 0
    proxy: Proxy | None = None
    certificate: tuple[str, str] | None = None  # files of the client's certificate and its key
    certificate_hosts: AllowedHosts = None


DIRECT = Transport()
