"""Normalization and validation of user names and passwords."""

import re
import unicodedata

from servicekit.problems import BadRequest

MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH = 100, 128  # characters, as in the contract
_CONTROL_CHARS = re.compile("[\x00-\x1f\x7f]")  # HTTP Basic does not allow them (RFC 7617)
MAX_DECOMPOSITION = 4  # characters of a letter in Unicode form NFD
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
    """Return the key of a name in credentials, or "" if no user can have that name."""
    return name_key(name) if _is_possible(name, MAX_NAME_LENGTH) else ""


def login_password(password: str) -> str:
    """Return a password in credentials in its normal form, or "" if no user can have it."""
    return normalize_password(password) if _is_possible(password, MAX_PASSWORD_LENGTH) else ""


def _is_possible(text: str, max_length: int) -> bool:
    """Return whether a text may be a registered one, perhaps with its letters decomposed.

    The length is bounded first: Unicode normalization takes quadratic time.
    """
    if len(text) > MAX_DECOMPOSITION * max_length or _CONTROL_CHARS.search(text):
        return False
    return len(text) <= max_length or len(unicodedata.normalize("NFC", text)) <= max_length


def normalize_password(password: str) -> str:
    """Return a password in Unicode form NFC (RFC 8265), since keyboards differ."""
    return unicodedata.normalize("NFC", password)
