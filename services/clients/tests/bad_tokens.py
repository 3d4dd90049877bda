"""Bad tokens of every kind that is known to have fooled somebody, each made by a function."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from servicekit.testing import Issuer, user_claims

Make = Callable[[Issuer], str]

REQUIRED = ("iss", "aud", "exp", "iat", "nbf", "sub", "jti", "client_id", "realm", "scope")
HOUR = 3600  # seconds


def part(value: Any) -> str:
    """Return a part of a token (RFC 7515): JSON, or bytes as they are, in base64url."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(issuer: Issuer, header: dict[str, Any], claims: Any = ...) -> str:
    """Return a token with a good signature over whatever header and claims."""
    whole = {"alg": "ES256", "typ": "at+jwt", "kid": issuer.current, **header}
    kept = {name: value for name, value in whole.items() if value is not ...}
    text = f"{part(kept)}.{part(user_claims() if claims is ... else claims)}"
    algorithm = ECAlgorithm(ECAlgorithm.SHA256)
    return f"{text}.{part(algorithm.sign(text.encode(), issuer.keys[issuer.current]))}"


def unsigned(algorithm: str) -> Make:
    """Return the maker of a token that says that it needs no signature."""
    header = {"alg": algorithm, "typ": "at+jwt"}
    return lambda issuer: f"{part({**header, 'kid': issuer.current})}.{part(user_claims())}."


def with_body(body: Any) -> Make:
    """Return the maker of a well signed token with another body altogether."""
    return lambda issuer: signed(issuer, {}, body)


def with_public_key_as_secret(issuer: Issuer) -> str:
    """Return a token signed with HMAC under the key that everybody can read."""
    public = issuer.keys[issuer.current].public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': issuer.current})}.{part(user_claims())}"
    mac = jwt.get_algorithm_by_name("HS256")
    return f"{text}.{part(mac.sign(text.encode(), secret))}"


def by(key: Any, algorithm: str, **header: Any) -> Make:
    """Return the maker of a token signed by somebody else's key."""
    return lambda issuer: jwt.encode(
        user_claims(),
        key,
        algorithm=algorithm,
        headers={"kid": issuer.current, "typ": "at+jwt", **header},
    )


def own_key_inside(issuer: Issuer) -> str:
    """Return a token that brings the key that it wants to be checked with."""
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return by(key, "ES256", jwk=jwk)(issuer)


def changed(body: str = "{}", signature: str = "{}") -> Make:
    """Return the maker of a good token whose parts are changed; ``{}`` is what a part was."""

    def make(issuer: Issuer) -> str:
        parts = issuer.token().split(".")
        return f"{parts[0]}.{body.format(parts[1])}.{signature.format(parts[2])}"

    return make


def promoted(issuer: Issuer) -> str:
    """Return a good token of a reader whose body was changed to a writer's."""
    header, _, signature = issuer.token(scope="clients:read").split(".")
    return f"{header}.{part(user_claims())}.{signature}"


def claiming(**changes: Any) -> Make:
    """Return the maker of a well signed token with other claims."""
    return lambda issuer: signed(issuer, {}, user_claims(**changes))


def heading(**header: Any) -> Make:
    """Return the maker of a well signed token with another header; ``...`` takes a field out."""
    return lambda issuer: signed(issuer, header)


def bad_tokens() -> Iterator[tuple[str, Make]]:
    """Yield each kind of bad token by its name."""
    now = int(time.time())
    yield from _times(now)
    yield from _claims()
    yield from _algorithms()
    yield from _headers()
    yield from _shapes()


def _times(now: int) -> Iterator[tuple[str, Make]]:
    yield "expired", claiming(exp=now - 1)
    yield "expired long ago", claiming(exp=1)
    yield "expires before time began", claiming(exp=-1)
    yield "not yet valid", claiming(nbf=now + HOUR)
    yield "issued in the future", claiming(iat=now + HOUR)
    wrongs: tuple[Any, ...] = ("never", [], {}, True, 1e400, "9" * 400)
    for wrong in wrongs:
        yield f"exp is {str(wrong)[:9]}", claiming(exp=wrong)


def _claims() -> Iterator[tuple[str, Make]]:
    yield "of another issuer", claiming(iss="https://evil.example")
    yield "issuer in other letters", claiming(iss="Cadastro")
    yield "issuer is a list", claiming(iss=["cadastro"])
    yield "for another audience", claiming(aud="other")
    yield "for no audience", claiming(aud=[])
    yield "audience is a number", claiming(aud=1)
    yield "of another realm", claiming(realm="admin")
    yield "realm is a list", claiming(realm=["live"])
    yield "scope is a list", claiming(scope=["clients:read", "clients:write"])
    yield "scope is a number", claiming(scope=1)
    yield "subject is empty", claiming(sub="")
    yield "subject is a number", claiming(sub=1)
    yield "client is a list", claiming(client_id=["cadastro"])
    yield "id is empty", claiming(jti="")
    for name in REQUIRED:
        yield f"without {name}", claiming(**{name: None})
    bodies: tuple[Any, ...] = ([], "text", 1, None, b"\xff", b"{", b'{"exp":' + b"[" * 2000)
    for body in bodies:
        yield f"claims are {str(body)[:9]}", with_body(body)


def _algorithms() -> Iterator[tuple[str, Make]]:
    for none in ("none", "None", "NONE", "nOnE", "none ", ""):
        yield f"alg {none!r}", unsigned(none)
    yield "HMAC with the public key", with_public_key_as_secret
    yield "HMAC with a secret that is easy to guess", by("secret" * 6, "HS256")
    yield "another P-256 key", by(ec.generate_private_key(ec.SECP256R1()), "ES256")
    yield "a key on P-384", by(ec.generate_private_key(ec.SECP384R1()), "ES384")
    yield "a key on secp256k1", by(ec.generate_private_key(ec.SECP256K1()), "ES256K")
    yield "an Ed25519 key", by(ed25519.Ed25519PrivateKey.generate(), "EdDSA")
    yield "an RSA key", by(rsa.generate_private_key(65537, 2048), "RS256")
    yield "an algorithm that it is not", heading(alg="RS256")
    yield "the algorithm in small letters", heading(alg="es256")
    yield "the algorithm in a list", heading(alg=["ES256"])
    yield "no algorithm", heading(alg=...)


def _headers() -> Iterator[tuple[str, Make]]:
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
        yield f"kid {str(kid)[:24]!r}", heading(kid=kid)
    yield (
        "an address for keys",
        by(ec.generate_private_key(ec.SECP256R1()), "ES256", jku="http://127.0.0.1:9/jwks.json"),
    )
    yield (
        "an address for certificates",
        by(ec.generate_private_key(ec.SECP256R1()), "ES256", x5u="http://127.0.0.1:9/chain.pem"),
    )
    yield "a certificate inside", by(ec.generate_private_key(ec.SECP256R1()), "ES256", x5c=["MIIB"])
    yield "its own key inside", own_key_inside
    yield "an extension that must be known", heading(crit=["exp"], exp=1)
    yield "an unencoded body", heading(crit=["b64"], b64=False)
    yield "compressed", heading(zip="DEF", crit=["zip"])
    for kind in ("JWT", "id+jwt", "AT+JWT ", "", 1, None, ...):
        yield f"typ {str(kind)!r}", heading(typ=kind)


def _shapes() -> Iterator[tuple[str, Make]]:
    yield "a changed body", promoted
    yield "a changed signature", changed(signature=part(bytes(64)))
    yield "a signature of nothing", changed(signature="")
    yield "a signature cut short", changed(signature="{:.84}")
    yield "a signature in DER", changed(signature=part(b"0\x06\x02\x01\x01\x02\x01\x01"))
    yield "padding", changed(body="{}==")
    yield "letters that are not base64url", changed(body="{}!")
    yield "a blank inside", changed(body="{0:.9} {0}")
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
