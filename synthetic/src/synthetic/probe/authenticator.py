"""Authentication of requests by the security schemes of their operations."""

from collections.abc import Collection
from dataclasses import replace
from urllib.parse import parse_qsl, quote, quote_plus

from synthetic.probe.credentials import Credentials, basic_authorization
from synthetic.probe.http import Request
from synthetic.probe.operation import Operation
from synthetic.probe.results import ProbeError
from synthetic.probe.security import Alternative, SecurityRequirement, SecurityScheme
from synthetic.probe.target import Target, parse_token_url
from synthetic.probe.tokens import TokenGrant, TokenStore, grant_for

CERTIFICATE = ("tls.crt", "tls.key")
REQUIRED_NAMES = {  # by the scheme of http, or by the type of the others
    "apiKey": ("api-key",),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "oauth2": ("token",),
    "openIdConnect": ("token",),
    "mutualTLS": CERTIFICATE,
}


class Authenticator:
    """Adds to requests what the first satisfiable alternative of their operation needs."""

    def __init__(self, credentials: Credentials | None) -> None:
        """Use ``credentials``; without any, requests stay as they are."""
        self._credentials = credentials or Credentials()
        self.tokens = TokenStore()

    def describe(self, operation: Operation, request: Request) -> str:
        """Return what a journey's request for an operation was sent with; never a value."""
        from synthetic.probe.credential_report import describe_credentials  # noqa: PLC0415 - rare

        return describe_credentials(operation, self.choose(operation), request, self._credentials)

    def missing(self, operation: Operation) -> str:
        """Return why the credentials satisfy no alternative of an operation."""
        from synthetic.probe.credential_report import missing_credentials  # noqa: PLC0415 - rare

        schemes = [each.scheme for alternative in operation.security for each in alternative]
        return missing_credentials(schemes, self._credentials)

    def is_missing_client(self, operation: Operation) -> bool:
        """Return whether an operation takes a token, and no alternative can be satisfied.

        Optional authentication counts too: an anonymous request may have another effect, such as
        a user outside the synthetic realm.
        """
        needs_token = any(r.scheme.needs_token for each in operation.security for r in each)
        return needs_token and not self.choose(operation)

    def check_folder(self, operation: Operation, given: Collection[tuple[str, str]]) -> None:
        """Check that a folder of credentials has any, if an operation demands one.

        ``given`` has the locations and the names, in lower case, of what the journey itself sends.

        Raises:
            ProbeError: it has none.

        """
        credentials = self._credentials
        if not credentials.folder or any(credentials.values.values()):
            return
        schemes = [each.scheme for alternative in operation.security for each in alternative]
        is_demanded = bool(operation.security) and all(operation.security)
        # without a certificate, the server itself decides during the handshake
        is_given = any(s.kind == "mutualTLS" or _place_of(s) in given for s in schemes)
        if is_demanded and not is_given:
            raise ProbeError(
                f"--credentials {credentials.folder}: {operation.operation_id} needs a credential, "
                f"and {self.missing(operation)}"
            )

    def check_certificate(self, operation: Operation) -> None:
        """Check that a client's certificate has a key, and a key its certificate.

        Raises:
            ProbeError: one of them is missing.

        """
        for requirement in (each for alternative in operation.security for each in alternative):
            if requirement.scheme.kind == "mutualTLS":
                missing = [n for n in CERTIFICATE if not self._find(requirement.scheme, n)]
                if len(missing) == 1:
                    needed = " and ".join(CERTIFICATE)
                    raise ProbeError(
                        f"--credentials: mutual TLS needs {needed}, and {missing[0]} is missing"
                    )

    def check_hosts(self, operation: Operation, target: Target) -> None:
        """Check that the hosts that will receive credentials may have them.

        Raises:
            ProbeError: a host may not, or a token URL is invalid.

        """
        for requirement in self.choose(operation):
            host = target.host
            if self._requests_token(requirement.scheme):
                grant = grant_for(requirement, self._credentials, target)
                host = parse_token_url(grant.url, target)[0].host
            self.check_host(host)

    def check_host(self, host: str) -> None:
        """Check that a host may receive the credentials.

        Raises:
            ProbeError: it may not.

        """
        if not self._credentials.allows(host):
            raise ProbeError(
                f"the credentials may not be sent to {host}: the Secret's annotation "
                "monitoring.cadastro.dev/hosts does not list it"
            )

    def grants(self, operation: Operation, target: Target) -> list[TokenGrant]:
        """Return the grants whose tokens an operation needs and that have none."""
        needed = [
            grant_for(requirement, self._credentials, target)
            for requirement in self.choose(operation)
            if self._requests_token(requirement.scheme)
        ]
        return [grant for grant in needed if not self.tokens.token(grant)]

    def needs_discovery(self, operation: Operation, grant: TokenGrant) -> bool:
        """Return whether the token endpoint of a grant has to be discovered first."""
        urls = {r.scheme.discovery_url for r in self.choose(operation)} - {""}
        return grant.url in urls and not self.tokens.has_endpoint(grant)

    def certificate(self, operation: Operation) -> tuple[str, str] | None:
        """Return the files of a client's certificate and key, if an operation needs them."""
        for requirement in self.choose(operation):
            if requirement.scheme.kind == "mutualTLS":
                files = [self._find(requirement.scheme, name) for name in CERTIFICATE]
                return files[0], files[1]
        return None

    def authenticate(self, operation: Operation, request: Request, target: Target) -> Request:
        """Return a request with credentials; those that the journey gives are kept."""
        for requirement in self.choose(operation):
            scheme = requirement.scheme
            if scheme.kind == "apiKey":
                request = _with_api_key(request, scheme, self._find(scheme, "api-key"))
            elif authorization := self._authorization(requirement, target):
                request = _with_header(request, "Authorization", authorization)
        return request

    def choose(self, operation: Operation) -> Alternative:
        """Return the first alternative with all its credentials, or an empty one."""
        alternatives = (each for each in operation.security if each)
        return next((each for each in alternatives if all(map(self._satisfies, each))), ())

    def _satisfies(self, requirement: SecurityRequirement) -> bool:
        scheme = requirement.scheme
        if scheme.needs_token and self._find(scheme, "token"):
            return True
        names = required_names(scheme)
        return bool(names) and all(self._find(scheme, name) for name in names)

    def _requests_token(self, scheme: SecurityScheme) -> bool:
        return scheme.needs_token and not self._find(scheme, "token")

    def _authorization(self, requirement: SecurityRequirement, target: Target) -> str:
        scheme = requirement.scheme
        if scheme.http_scheme == "basic":
            pair = self._find(scheme, "username"), self._find(scheme, "password")
            return basic_authorization(*pair)
        token = self._find(scheme, "token")
        if self._requests_token(scheme):
            token = self.tokens.token(grant_for(requirement, self._credentials, target))
        return f"Bearer {token}" if token and scheme.kind != "mutualTLS" else ""

    def _find(self, scheme: SecurityScheme, name: str) -> str:
        return self._credentials.find(scheme, name)


def required_names(scheme: SecurityScheme) -> tuple[str, ...]:
    """Return the names of the credentials of a scheme; none if the probe does not support it."""
    if scheme.needs_token:
        return ("client-secret",)
    return REQUIRED_NAMES.get(scheme.http_scheme if scheme.kind == "http" else scheme.kind, ())


def gives_own(request: Request, scheme: SecurityScheme) -> bool:
    """Return whether a journey's request itself has what a scheme would add."""
    if scheme.kind == "apiKey":
        return _with_api_key(request, scheme, "") is request
    return scheme.kind != "mutualTLS" and _with_header(request, "Authorization", "") is request


def without_api_keys(operation: Operation, request: Request) -> Request:
    """Return a request without headers of API keys, which a journey may have given itself."""
    schemes = (each.scheme for alternative in operation.security for each in alternative)
    names = {each.parameter.lower() for each in schemes if each.location == "header"}
    headers = {n: value for n, value in request.headers.items() if n.lower() not in names}
    return replace(request, headers=headers)


def _place_of(scheme: SecurityScheme) -> tuple[str, str]:
    if scheme.kind == "apiKey":
        return scheme.location, scheme.parameter.lower()
    return "header", "authorization"


def _with_header(request: Request, name: str, value: str) -> Request:
    if any(given.lower() == name.lower() for given in request.headers):
        return request
    return replace(request, headers={**request.headers, name: value})


def _with_api_key(request: Request, scheme: SecurityScheme, key: str) -> Request:
    if scheme.location == "header":
        return _with_header(request, scheme.parameter, key)
    if scheme.location == "query":
        path, _, query = request.path.partition("?")
        if any(name == scheme.parameter for name, _ in parse_qsl(query, keep_blank_values=True)):
            return request
        pair = f"{quote_plus(scheme.parameter)}={quote_plus(key)}"
        return replace(request, path=f"{path}?{query}&{pair}" if query else f"{path}?{pair}")
    given = next((v for n, v in request.headers.items() if n.lower() == "cookie"), "")
    names = {pair.partition("=")[0].strip() for pair in given.split(";")}
    if scheme.parameter in names:
        return request
    others = {n: v for n, v in request.headers.items() if n.lower() != "cookie"}
    cookie = f"{scheme.parameter}={quote(key, safe='')}"
    headers = {**others, "Cookie": f"{given}; {cookie}" if given else cookie}
    return replace(request, headers=headers)
