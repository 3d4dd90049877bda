"""Users and tokens over HTTP."""

from typing import Any

from sqlalchemy import RowMapping

from auth import oauth, repository, throttle
from auth.context import auth, caller_address
from auth.domain import login_key, login_password, normalize_password, validate_name
from auth.throttle import LoginAttempt
from auth.tokens import USER_SCOPES
from servicekit.auth.guard import Credentials, invalid_credentials
from servicekit.auth.tokens import Principal
from servicekit.http.context import database
from servicekit.http.health import healthy
from servicekit.http.idempotency import idempotent, replayed_response
from servicekit.http.responses import Result, created
from servicekit.openapi.operation import on_problem
from servicekit.problems import Conflict, Unauthorized

KEY_SET_MAX_AGE_SECONDS = 60  # of the HTTP cache
FIRST_PARTY_CLIENT_ID = "cadastro"  # of tokens issued at login


def create(
    body: dict[str, Any], principal: Principal | None, idempotency_key: str | None = None
) -> Result:
    """Create a user in the realm of the caller.

    A taken name is found before the password is hashed, which is expensive. The status reveals the
    name in any case, so the shorter time reveals nothing more.
    """
    if principal is None and not auth().settings.open_registration:
        raise Unauthorized("Registration is closed: a user who is logged in can make another one")
    name, realm = validate_name(body["username"]), principal.realm if principal else "live"
    caller = principal.id if principal else None
    stored_body = {"username": name}  # for retries, therefore without the password
    with auth().passwords.registrations.place(caller_address()):
        try:
            _admit(name, principal)
        except Conflict:  # perhaps with the user of this request, which the caller has repeated
            replayed = replayed_response(idempotency_key, caller, stored_body)
            if replayed is None:
                raise
            return replayed
        password_hash = auth().passwords.hash(normalize_password(body["password"]))
    return idempotent(
        idempotency_key,
        caller,
        stored_body,
        lambda connection: created(
            repository.create_user(connection, realm, name, password_hash), "User created"
        ),
        single_statement=True,
    )


def login(credentials: Credentials) -> dict[str, str]:
    """Return a token for a user name and a password."""
    key, address = login_key(credentials.username), caller_address()
    # a name that no user can have is throttled like the others, each by itself
    attempt = LoginAttempt(key or f"\0{credentials.username}", address)
    with auth().passwords.logins.place(address):
        user = _authenticate(credentials, attempt, key)
    return {
        "msg": "Success",
        "token": auth().tokens.sign(
            f"user:{user['id']}",
            FIRST_PARTY_CLIENT_ID,
            user["realm"],
            USER_SCOPES,
            auth().settings.token_ttl,
        ),
    }


@on_problem(oauth.add_error_code)
def token(body: dict[str, str], credentials: Credentials) -> Result:
    """Return a short-lived token for a service or a monitor (RFC 6749, section 4.4)."""
    client = auth().oauth_clients.authenticate(credentials)
    scopes = oauth.granted_scopes(client, body.get("scope"))
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
    """Return the public keys (RFC 7517)."""
    return Result(
        auth().keys.key_set(),
        headers={"Cache-Control": f"public, max-age={KEY_SET_MAX_AGE_SECONDS}"},
    )


def health() -> Result:
    """Return the state of the service."""
    return healthy()


def _admit(name: str, principal: Principal | None) -> None:
    """Check the limit of registrations without a token, and that the name is free.

    Raises:
        TooManyRequests: the address has created too many users.
        Conflict: the name is taken.

    """
    limit = auth().settings.registration_limit
    with database().autocommit() as connection:
        if principal is None and limit:
            throttle.admit_registration(connection, caller_address(), limit)
        repository.require_free_name(connection, name)


def _authenticate(credentials: Credentials, attempt: LoginAttempt, key: str) -> RowMapping:
    """Return the user with these credentials.

    Raises:
        Unauthorized: the name or the password is wrong.
        TooManyRequests: there were too many failures.

    """
    with database().autocommit() as connection:
        throttle.check(connection, attempt)
        user = repository.find_user(connection, key) if key else None
    password = login_password(credentials.password)
    stored = user["password"] if user else None
    if not auth().passwords.verify(stored, password) or user is None:
        with database().transaction() as connection:
            throttle.record_failure(connection, attempt)
        raise invalid_credentials()
    outdated = auth().passwords.is_outdated(user["password"])
    new_hash = auth().passwords.hash(password) if outdated else None
    with database().autocommit() as connection:
        throttle.reset_account(connection, attempt)
        if new_hash:
            repository.replace_hash(connection, user["id"], new_hash)
    return user
