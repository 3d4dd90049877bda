"""Users and tokens over HTTP."""

from typing import Any

from sqlalchemy import RowMapping

from auth import oauth, repository, throttle
from auth.context import auth, caller_address
from auth.domain import checked_name, name_key, normal_password
from auth.throttle import Attempt
from auth.tokens import USER_SCOPES
from servicekit.auth.guard import Credentials, invalid_credentials
from servicekit.auth.tokens import Principal
from servicekit.http import health as healths
from servicekit.http.context import database
from servicekit.http.idempotency import idempotent
from servicekit.http.responses import Result, created
from servicekit.openapi.operation import on_problem
from servicekit.problems import Unauthorized

KEYS_KEPT = 60  # seconds that others may keep the key set without asking again
FIRST_PARTY = "cadastro"  # the client_id of tokens that users get by logging in


def create(
    body: dict[str, Any], principal: Principal | None, idempotency_key: str | None = None
) -> Result:
    """Make a user, in the realm of whoever makes it."""
    if principal is None and not auth().settings.open_registration:
        msg = "Registration is closed: a user who is logged in can make another one"
        raise Unauthorized(msg)
    name, realm = checked_name(body["username"]), principal.realm if principal else "live"
    with auth().passwords.places:
        hashed = auth().passwords.hash(normal_password(body["password"]))
    return idempotent(
        idempotency_key,
        principal.id if principal else None,
        {"username": name},  # what is kept for a retry holds nothing of the password
        lambda connection: created(
            repository.create_user(connection, realm, name, hashed), "User created"
        ),
        single_statement=True,
    )


def login(credentials: Credentials) -> dict[str, str]:
    """Answer a token for a name and a password."""
    attempt = Attempt(name_key(credentials.username), caller_address())
    with auth().passwords.places:
        user = _checked(credentials, attempt)
    return {
        "msg": "Success",
        "token": auth().tokens.sign(
            f"user:{user['id']}",
            FIRST_PARTY,
            user["realm"],
            USER_SCOPES,
            auth().settings.token_ttl,
        ),
    }


@on_problem(oauth.name_error)
def token(body: dict[str, str], credentials: Credentials) -> Result:
    """Answer a short token for a service or a monitor (RFC 6749, section 4.4)."""
    client = auth().oauth_clients.authenticate(credentials)
    scopes = oauth.granted(client, body.get("scope"))
    name, ttl = credentials.username, auth().settings.service_token_ttl
    return Result(
        {
            "msg": "Success",
            "access_token": auth().tokens.sign(f"service:{name}", name, client.realm, scopes, ttl),
            "token_type": "Bearer",
            "expires_in": ttl,
            "scope": " ".join(sorted(scopes)),
        }
    )


def jwks() -> Result:
    """Answer the public keys (RFC 7517)."""
    return Result(auth().keys.key_set(), headers={"Cache-Control": f"public, max-age={KEYS_KEPT}"})


def health() -> dict[str, str]:
    """Answer whether the service works."""
    return healths.healthy()


def _checked(credentials: Credentials, attempt: Attempt) -> RowMapping:
    """Return the user whose name and password are right; raises ``Unauthorized`` or 429."""
    with database().autocommit() as connection:
        throttle.check(connection, attempt)
        user = repository.find_user(connection, credentials.username)
    password = normal_password(credentials.password)
    stored = user["password"] if user else None
    if not auth().passwords.verify(stored, password) or user is None:
        with database().transaction() as connection:
            throttle.failed(connection, attempt)
        raise invalid_credentials()
    outdated = auth().passwords.is_outdated(user["password"])
    rehashed = auth().passwords.hash(password) if outdated else None
    with database().autocommit() as connection:
        throttle.succeeded(connection, attempt)
        if rehashed:
            repository.replace_hash(connection, user["id"], rehashed)
    return user
