"""Normalization and validation of user names and passwords."""

import re
import unicodedata

from servicekit.problems import BadRequest

MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH = 100, 128  # characters, as in the contract
_CONTROL_CHARS = re.compile("[\x00-\x1f\x7f]")  # HTTP Basic does not allow them (RFC 7617)
MAX_KEY_LENGTH = 400  # characters; normalization may lengthen a name


def validate_name(name: str) -> str:
    """Return a valid name; raise ``BadRequest`` for a blank or long one."""
    key = name_key(name)
    if not key:
        raise BadRequest("must not be blank", field="username")
    if len(key) > MAX_KEY_LENGTH:
        raise BadRequest("is too long when its letters are written out", field="username")
    return name


def name_key(name: str) -> str:
    """Return a key that is equal for names that differ in case or Unicode composition only."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def login_key(name: str) -> str:
    """Return the key of a name in credentials, or "" if no user can have that name.

    The length is checked first: Unicode normalization takes quadratic time.
    """
    if len(name) > MAX_NAME_LENGTH or _CONTROL_CHARS.search(name):
        return ""
    return name_key(name)


def login_password(password: str) -> str:
    """Return a password in credentials in its normal form, or "" if no user can have it."""
    if len(password) > MAX_PASSWORD_LENGTH or _CONTROL_CHARS.search(password):
        return ""
    return normalize_password(password)


def normalize_password(password: str) -> str:
    """Return a password in Unicode form NFC (RFC 8265), since keyboards differ."""
    return unicodedata.normalize("NFC", password)
