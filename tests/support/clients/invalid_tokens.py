"""Invalid tokens: known attacks on JWT verifiers, and malformed tokens."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from servicekit.testing import FakeIssuer, user_claims

TokenFactory = Callable[[FakeIssuer], str]

REQUIRED = ("iss", "aud", "exp", "iat", "nbf", "sub", "jti", "client_id", "realm", "scope")
HOUR = 3600  # seconds


def part(value: Any) -> str:
    """Return a part of a token (RFC 7515): JSON or raw bytes, in base64url."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(issuer: FakeIssuer, header: dict[str, Any], claims: Any = ...) -> str:
    """Return a token with a valid signature over any header and claims."""
    whole = {"alg": "ES256", "typ": "at+jwt", "kid": issuer.current, **header}
    kept = {name: value for name, value in whole.items() if value is not ...}
    text = f"{part(kept)}.{part(user_claims() if claims is ... else claims)}"
    algorithm = ECAlgorithm(ECAlgorithm.SHA256)
    return f"{text}.{part(algorithm.sign(text.encode(), issuer.keys[issuer.current]))}"


def unsigned(algorithm: str) -> TokenFactory:
    """Return a factory of tokens with an ``alg`` that means no signature."""
    header = {"alg": algorithm, "typ": "at+jwt"}
    return lambda issuer: f"{part({**header, 'kid': issuer.current})}.{part(user_claims())}."


def with_body(body: Any) -> TokenFactory:
    """Return a factory of validly signed tokens with another body."""
    return lambda issuer: signed(issuer, {}, body)


def with_public_key_as_secret(issuer: FakeIssuer) -> str:
    """Return a token signed by HMAC with the public key as the secret."""
    public = issuer.keys[issuer.current].public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': issuer.current})}.{part(user_claims())}"
    mac = jwt.get_algorithm_by_name("HS256")
    return f"{text}.{part(mac.sign(text.encode(), secret))}"


def signed_by(key: Any, algorithm: str, **header: Any) -> TokenFactory:
    """Return a factory of tokens signed by another key."""
    return lambda issuer: jwt.encode(
        user_claims(),
        key,
        algorithm=algorithm,
        headers={"kid": issuer.current, "typ": "at+jwt", **header},
    )


def with_embedded_key(issuer: FakeIssuer) -> str:
    """Return a token whose header contains its own key."""
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return signed_by(key, "ES256", jwk=jwk)(issuer)


def modified(body: str = "{}", signature: str = "{}") -> TokenFactory:
    """Return a factory of valid tokens with modified parts; ``{}`` is the original part."""

    def make(issuer: FakeIssuer) -> str:
        parts = issuer.token().split(".")
        return f"{parts[0]}.{body.format(parts[1])}.{signature.format(parts[2])}"

    return make


def with_more_scopes(issuer: FakeIssuer) -> str:
    """Return a valid read-only token whose body was replaced by one with all scopes."""
    header, _, signature = issuer.token(scope="clients:read").split(".")
    return f"{header}.{part(user_claims())}.{signature}"


def with_claims(**changes: Any) -> TokenFactory:
    """Return a factory of validly signed tokens with other claims."""
    return lambda issuer: signed(issuer, {}, user_claims(**changes))


def with_header(**header: Any) -> TokenFactory:
    """Return a factory of validly signed tokens with another header; ``...`` omits a field."""
    return lambda issuer: signed(issuer, header)


def invalid_tokens() -> Iterator[tuple[str, TokenFactory]]:
    """Yield each kind of invalid token with its name."""
    now = int(time.time())
    yield from _times(now)
    yield from _claims()
    yield from _algorithms()
    yield from _headers()
    yield from _shapes()


def _times(now: int) -> Iterator[tuple[str, TokenFactory]]:
    yield "expired two minutes ago", with_claims(exp=now - 120)
    yield "expired long ago", with_claims(exp=1)
    yield "expires before time began", with_claims(exp=-1)
    yield "not yet valid", with_claims(nbf=now + HOUR)
    yield "issued in the future", with_claims(iat=now + HOUR)
    wrongs: tuple[Any, ...] = ("never", [], {}, True, 1e400, "9" * 400)
    for wrong in wrongs:
        yield f"exp is {str(wrong)[:9]}", with_claims(exp=wrong)


def _claims() -> Iterator[tuple[str, TokenFactory]]:
    yield "of another issuer", with_claims(iss="https://evil.example")
    yield "issuer in other letters", with_claims(iss="Cadastro")
    yield "issuer is a list", with_claims(iss=["cadastro"])
    yield "for another audience", with_claims(aud="other")
    yield "for no audience", with_claims(aud=[])
    yield "audience is a number", with_claims(aud=1)
    yield "of another realm", with_claims(realm="admin")
    yield "realm is a list", with_claims(realm=["live"])
    yield "scope is a list", with_claims(scope=["clients:read", "clients:write"])
    yield "scope is a number", with_claims(scope=1)
    yield "subject is empty", with_claims(sub="")
    yield "subject is a number", with_claims(sub=1)
    yield "client is a list", with_claims(client_id=["cadastro"])
    yield "id is empty", with_claims(jti="")
    for name in REQUIRED:
        yield f"without {name}", with_claims(**{name: None})
    bodies: tuple[Any, ...] = ([], "text", 1, None, b"\xff", b"{", b'{"exp":' + b"[" * 2000)
    for body in bodies:
        yield f"claims are {str(body)[:9]}", with_body(body)


def _algorithms() -> Iterator[tuple[str, TokenFactory]]:
    for none in ("none", "None", "NONE", "nOnE", "none ", ""):
        yield f"alg {none!r}", unsigned(none)
    yield "HMAC with the public key", with_public_key_as_secret
    yield "HMAC with a secret that is easy to guess", signed_by("secret" * 6, "HS256")
    yield "another P-256 key", signed_by(ec.generate_private_key(ec.SECP256R1()), "ES256")
    yield "a key on P-384", signed_by(ec.generate_private_key(ec.SECP384R1()), "ES384")
    yield "a key on secp256k1", signed_by(ec.generate_private_key(ec.SECP256K1()), "ES256K")
    yield "an Ed25519 key", signed_by(ed25519.Ed25519PrivateKey.generate(), "EdDSA")
    yield "an RSA key", signed_by(rsa.generate_private_key(65537, 2048), "RS256")
    yield "an algorithm that it is not", with_header(alg="RS256")
    yield "the algorithm in small letters", with_header(alg="es256")
    yield "the algorithm in a list", with_header(alg=["ES256"])
    yield "no algorithm", with_header(alg=...)


def _headers() -> Iterator[tuple[str, TokenFactory]]:
    for kid in (
        "../../../../dev/null",
        "/etc/passwd",
        "' OR '1'='1",
        "first'; DROP TABLE clients; --",
        "http://127.0.0.1:9/jwks.json",
        "first\x00",
        "FIRST",
        "",
        "k" * 2000,
        1,
        ["first"],
        {"kid": "first"},
        None,
        ...,
    ):
        yield f"kid {str(kid)[:24]!r}", with_header(kid=kid)
    yield (
        "an address for keys",
        signed_by(
            ec.generate_private_key(ec.SECP256R1()), "ES256", jku="http://127.0.0.1:9/jwks.json"
        ),
    )
    yield (
        "an address for certificates",
        signed_by(
            ec.generate_private_key(ec.SECP256R1()), "ES256", x5u="http://127.0.0.1:9/chain.pem"
        ),
    )
    yield (
        "a certificate inside",
        signed_by(ec.generate_private_key(ec.SECP256R1()), "ES256", x5c=["MIIB"]),
    )
    yield "its own key inside", with_embedded_key
    yield "an extension that must be known", with_header(crit=["exp"], exp=1)
    yield "an unencoded body", with_header(crit=["b64"], b64=False)
    yield "compressed", with_header(zip="DEF", crit=["zip"])
    for kind in ("JWT", "id+jwt", "AT+JWT ", "", 1, None, ...):
        yield f"typ {str(kind)!r}", with_header(typ=kind)


def _shapes() -> Iterator[tuple[str, TokenFactory]]:
    yield "a changed body", with_more_scopes
    yield "a changed signature", modified(signature=part(bytes(64)))
    yield "a signature of nothing", modified(signature="")
    yield "a signature cut short", modified(signature="{:.84}")
    yield "a signature in DER", modified(signature=part(b"0\x06\x02\x01\x01\x02\x01\x01"))
    yield "padding", modified(body="{}==")
    yield "letters that are not base64url", modified(body="{}!")
    yield "a blank inside", modified(body="{0:.9} {0}")
    yield "two parts", lambda issuer: issuer.token().rpartition(".")[0]
    yield "one part", lambda issuer: issuer.token().partition(".")[0]
    yield "four parts", lambda issuer: f"{issuer.token()}.e30"
    yield "five parts", lambda issuer: f"{issuer.token()}.e30.e30"
    yield "dots", lambda _: ".."
    yield "a word", lambda _: "nonsense"
    yield "twice in one header", lambda issuer: f"{issuer.token()} {issuer.token()}"
    yield "in quotes", lambda issuer: f'"{issuer.token()}"'
    yield "sixty thousand letters", lambda _: "a" * 60_000
    yield "a long one with dots", lambda _: f"{'a' * 20_000}.{'b' * 20_000}.{'c' * 20_000}"
    yield "letters beyond ASCII", lambda _: "café.café.café"
