"""The cost of credentials and forms grows no faster than their size."""

import base64
from collections.abc import Callable, Iterator

import pytest

from auth import throttle
from servicekit.testing import ContractClient
from tests.support.auth.users import PASSWORD, basic_auth_header, new_username, run_auth
from tests.support.cpu_growth import MAX_GROWTH, Text, growth, repeated

LIMIT = 45_000  # bytes, before the encoding in base64; header sections may have 64 KiB
MARKS = repeated("\u0301", "e")  # in the opposite of their normal order with those below
CREDENTIALS: dict[str, Text] = {
    "letters": repeated("a"),
    "colons": repeated(":"),
    "NULs": repeated("\0"),
    "combining marks": lambda size: MARKS(size // 2) + "\u0316" * (size // 4),
    "ligatures": repeated("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"),
    "Hangul": repeated("\u1100\u1161\u11a8"),
    "capitals": repeated("\u0130"),
    "white space": repeated("\u3000"),
}
HEADERS: dict[str, Text] = {
    "no base64": repeated("!", "Basic "),
    "padding": repeated("=", "Basic "),
    "parameters": repeated('a="b",', "Basic "),
    "quotation marks": repeated('"', "Basic a="),
    "a long scheme": repeated("a"),
    "commas": repeated(",", "Digest "),
}
FORMS: dict[str, Text] = {
    "many fields": repeated("a=1&"),
    "one field many times": repeated("scope=a&"),
    "ampersands": repeated("&"),
    "scopes": repeated("a:a ", "grant_type=client_credentials&scope=", "a:a"),
    "spaces": repeated("+", "scope=", "a"),
    "escapes": repeated("%41", "scope="),
    "a long name": repeated("a", "", "=1"),
}


@pytest.fixture(scope="module")
def own_api(
    settings: dict[str, str], migrated_url_factory: Callable[[str], str]
) -> Iterator[ContractClient]:
    """A client of a service whose throttled address no other test uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(throttle.LIMITS, "address", throttle.Limit(1_000_000, 1))
        yield from run_auth({**settings, "DATABASE_URL": migrated_url_factory("auth")})


@pytest.mark.parametrize("kind", CREDENTIALS)
@pytest.mark.parametrize("part", ["name", "password"])
def test_the_cost_of_credentials_grows_linearly(
    own_api: ContractClient, part: str, kind: str
) -> None:
    def call(size: int) -> None:
        text = CREDENTIALS[kind](size)
        # another name each time: a throttled login ends before the password is read
        pair = (text, PASSWORD) if part == "name" else (new_username(), text)
        answer = own_api.post("/users/login", headers=basic_auth_header(*pair))
        assert answer.status_code in ({401} if part == "password" else {401, 429})

    assert growth(call, LIMIT) < MAX_GROWTH


@pytest.mark.parametrize("kind", HEADERS)
def test_the_cost_of_an_authorization_grows_linearly(own_api: ContractClient, kind: str) -> None:
    def call(size: int) -> None:
        headers = {"Authorization": HEADERS[kind](size)}
        assert own_api.post("/users/login", headers=headers).status_code in {401, 429}

    assert growth(call, LIMIT) < MAX_GROWTH


@pytest.mark.parametrize("kind", FORMS)
def test_the_cost_of_a_form_grows_linearly(own_api: ContractClient, kind: str) -> None:
    secret = base64.b64encode(b"clients:secret-of-clients").decode()

    def call(size: int) -> None:
        headers = {
            "Authorization": f"Basic {secret}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = own_api.post("/users/token", content=FORMS[kind](size), headers=headers)
        assert answer.status_code == 400

    assert growth(call, LIMIT) < MAX_GROWTH


@pytest.mark.parametrize("field", ["username", "password"])
def test_the_cost_of_a_new_user_grows_linearly(own_api: ContractClient, field: str) -> None:
    def call(size: int) -> None:
        text = MARKS(size // 2) + "\u0316" * (size // 4)
        body = {"username": "a", "password": PASSWORD, field: text}
        assert own_api.post("/users/create", json=body).status_code == 400

    assert growth(call, LIMIT) < MAX_GROWTH
