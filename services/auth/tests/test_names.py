"""Normal form of user names."""

import sys
import unicodedata

from auth.domain import name_key
from servicekit.testing import ContractClient
from tests.support.auth.users import basic_auth_header, new_username

DOTLESS_I = "\u0131"  # its capital is the one of "i", but it is another letter


def spellings(name: str) -> set[str]:
    """Return a name in several cases and compositions."""
    cases = {name, name.upper(), name.lower(), name.casefold()}
    return {unicodedata.normalize(form, each) for form in ("NFC", "NFD") for each in cases}


def test_every_letter_has_one_key_in_all_cases_and_compositions() -> None:
    letters = {letter for letter in map(chr, range(sys.maxunicode)) if letter.isalpha()}
    letters -= {DOTLESS_I}
    varied = {letter for letter in letters if len(spellings(letter)) > 1}
    assert len(varied) > 3_000
    wrong = [
        x
        for x in varied
        if {name_key(f"a{each}b") for each in spellings(x)} != {name_key(f"a{x}b")}
    ]
    assert wrong == []


def test_a_key_is_its_own_key() -> None:
    for name in ("\u0390", "\u03aa\u0301", "\uff21rthur", "\ufb01m", "\u1e9e", "\u01f0"):
        assert name_key(name_key(name)) == name_key(name)


def test_a_user_logs_in_with_decomposed_letters_up_to_the_lengths_of_the_contract(
    api: ContractClient,
) -> None:
    name = new_username()
    user = {"username": name + "é" * (100 - len(name)), "password": "ã" * 127 + "ệ"}
    assert api.post("/users/create", json=user).status_code == 201
    for form in ("NFC", "NFD"):
        spelled = (unicodedata.normalize(form, each) for each in user.values())
        answer = api.post("/users/login", headers=basic_auth_header(*spelled))
        assert answer.status_code == 200
    longer = basic_auth_header(user["username"], f"{user['password']}é")
    assert api.post("/users/login", headers=longer).status_code == 401
