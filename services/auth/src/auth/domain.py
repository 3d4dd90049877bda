"""Normalization and validation of user names and passwords."""

import unicodedata

from servicekit.problems import BadRequest

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


def normalize_password(password: str) -> str:
    """Return a password in Unicode form NFC (RFC 8265), since keyboards differ."""
    return unicodedata.normalize("NFC", password)
