"""What a rejected request had of credentials, and the remedy if it had none; never a value."""

from synthetic.probe.authenticator import gives_own, required_names
from synthetic.probe.credentials import Credentials
from synthetic.probe.http import Request
from synthetic.probe.operation import Operation
from synthetic.probe.security import Alternative, SecurityScheme

MAX_NAMES = 5  # in a message
NOUNS = {
    "apiKey": "API key",
    "basic": "username and password",
    "bearer": "token",
    "oauth2": "token",
    "openIdConnect": "token",
    "mutualTLS": "certificate",
}
NO_CREDENTIALS = "there are no credentials: see --credentials, or a monitor's credentialsSecretRef"


def describe_credentials(
    operation: Operation, chosen: Alternative, request: Request, credentials: Credentials
) -> str:
    """Return what authenticated a request; ``request`` has what the journey itself gives."""
    schemes = [each.scheme for alternative in operation.security for each in alternative]
    own = next((scheme for scheme in schemes if gives_own(request, scheme)), None)
    if own is not None:
        return f"the journey's own {_place(own)} was sent"
    if chosen:
        return " and ".join(_described(each.scheme) for each in chosen)
    if not schemes:
        return "the description has no security for this operation, so no credential was sent"
    return f"no {_noun(schemes)} was sent: {missing_credentials(schemes, credentials)}"


def missing_credentials(schemes: list[SecurityScheme], credentials: Credentials) -> str:
    """Return why the credentials satisfy none of the alternatives with some schemes."""
    names = list(dict.fromkeys(name for scheme in schemes for name in required_names(scheme)))
    missing = [name for name in names if not any(credentials.find(s, name) for s in schemes)]
    if not missing:
        lost = next((scheme for scheme in schemes if not required_names(scheme)), None)
        return _unsupported(lost) if lost else "no alternative has all that it needs"
    if not credentials.folder and not credentials.values:
        return NO_CREDENTIALS
    empty = [name for name in missing if credentials.values.get(name) == ""]
    if empty:
        return f"the credential {empty[0]} is empty"
    others = [*credentials.values, *credentials.ignored][:MAX_NAMES]
    kind = "file " if credentials.folder else ""
    only = f", only {', '.join(others)}" if others else ": the folder is empty"
    return f"the credentials have no {kind}{' or '.join(missing)}{only}"


def _unsupported(scheme: SecurityScheme) -> str:
    if not scheme.kind:
        return f"the description has no security scheme {scheme.name}"
    return f"the probe does not support the {scheme.kind} scheme {scheme.http_scheme}".rstrip()


def _described(scheme: SecurityScheme) -> str:
    noun = _noun([scheme])
    article = "an" if noun[0] in "aAeE" else "a"
    place = f" as the {_place(scheme)}" if scheme.kind == "apiKey" else ""
    verb = "were" if " and " in noun else "was"
    return f"{article} {noun} {verb} sent{place} (scheme {scheme.name})"


def _place(scheme: SecurityScheme) -> str:
    if scheme.kind != "apiKey":
        return "header Authorization"
    kind = {"query": "query parameter"}.get(scheme.location, scheme.location)
    return f"{kind} {scheme.parameter}"


def _noun(schemes: list[SecurityScheme]) -> str:
    nouns = {
        NOUNS.get(scheme.http_scheme if scheme.kind == "http" else scheme.kind, "credential")
        for scheme in schemes
    }
    return nouns.pop() if len(nouns) == 1 else "credential"
