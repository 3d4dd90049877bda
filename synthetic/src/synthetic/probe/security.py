"""Security schemes and requirements of a contract."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from synthetic.probe.documents import Node


class SecurityScheme(NamedTuple):
    """A Security Scheme Object; fields of other types than its own are empty."""

    name: str
    kind: str  # apiKey, http, oauth2, openIdConnect or mutualTLS
    http_scheme: str = ""  # of http, in lower case
    location: str = ""  # of an apiKey: header, query or cookie
    parameter: str = ""  # the apiKey's name there
    token_url: str = ""  # of the client credentials flow of oauth2
    discovery_url: str = ""  # of openIdConnect
    others: tuple[str, ...] = ()  # the schemes of a contract that lacks this one

    @property
    def needs_token(self) -> bool:
        """True if a client requests a token for this scheme."""
        return bool(self.token_url or self.discovery_url)


class SecurityRequirement(NamedTuple):
    """A scheme that a request needs, with the scopes of its token."""

    scheme: SecurityScheme
    scopes: tuple[str, ...] = ()


Alternative = tuple[SecurityRequirement, ...]  # a request needs all of them


def parse_security(root: Node, operation: Node) -> tuple[Alternative, ...]:
    """Return the alternatives of an operation; a scheme that the contract lacks has no kind.

    Raises:
        AttributeError, KeyError, TypeError: the contract is invalid.

    """
    requirements = operation.value.get("security", root.value.get("security", []))
    components = root.get("components")
    schemes = components.get("securitySchemes") if components else None
    return tuple(
        tuple(
            SecurityRequirement(_find_scheme(schemes, name), tuple(scopes or ()))
            for name, scopes in requirement.items()
        )
        for requirement in requirements
    )


def _find_scheme(schemes: Node | None, name: str) -> SecurityScheme:
    found = schemes.get(name) if schemes else None
    if found is None:
        return SecurityScheme(name, "", others=tuple(schemes.value) if schemes else ())
    return _parse_scheme(name, found.value)


def _parse_scheme(name: str, document: Mapping[str, Any]) -> SecurityScheme:
    flow = (document.get("flows") or {}).get("clientCredentials") or {}
    return SecurityScheme(
        name,
        document["type"],
        str(document.get("scheme", "")).lower(),
        str(document.get("in", "")),
        str(document.get("name", "")),
        str(flow["tokenUrl"]) if flow else "",
        str(document.get("openIdConnectUrl", "")),
    )
