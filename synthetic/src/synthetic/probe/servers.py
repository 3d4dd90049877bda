"""Servers of the contracts: the one of each source description."""

from collections.abc import Mapping
from urllib.parse import urljoin

from synthetic.probe.documents import Node
from synthetic.probe.operation import Operation
from synthetic.probe.results import ProbeError
from synthetic.probe.target import Target, parse_server


def server_url(root: Node, item: Node, operation: Node) -> str:
    """Return the first server of an operation, or else of its path, or else of the contract.

    Variables have their defaults. A relative URL is resolved if the contract has a URL itself.

    Raises:
        AttributeError, KeyError, TypeError: the contract is invalid.

    """
    for node in (operation, item, root):
        servers = node.get("servers")
        for server in servers.elements() if servers else []:
            url = str(server.value["url"])
            for name, variable in (server.value.get("variables") or {}).items():
                url = url.replace(f"{{{name}}}", str(variable["default"]))
            return urljoin(root.base, url) if root.is_remote else url
    return urljoin(root.base, "/") if root.is_remote else ""


class Servers:
    """Chooses the server of an operation: by its source, by `--url`, or by the contract."""

    def __init__(self, default: Target | None, by_source: Mapping[str, Target]) -> None:
        """Use ``by_source`` for named sources, and ``default``, if any, for all others."""
        self._default = default
        self._by_source = by_source
        self._parsed: dict[str, Target] = {}

    def target(self, operation: Operation) -> Target:
        """Return the server of an operation.

        Raises:
            ProbeError: the contract has no absolute server, and no option names one.

        """
        named = self._by_source.get(operation.source, self._default)
        if named is not None:
            return named
        url = operation.server
        if url not in self._parsed:
            if "://" not in url:
                raise ProbeError(
                    f"{operation.operation_id} has no server with a complete URL: "
                    "name one with --url, or with --server NAME=URL"
                )
            self._parsed[url] = parse_server(url)
        return self._parsed[url]
