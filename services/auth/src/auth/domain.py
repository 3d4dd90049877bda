"""What a user is, and when two names are one."""

import unicodedata

from servicekit.problems import BadRequest

LONGEST_KEY = 400  # characters; folding lengthens a name, and a few signs stand for whole phrases


def checked_name(name: str) -> str:
    """Return a name that somebody may take; raises ``BadRequest`` for the few that nobody may."""
    key = name_key(name)
    if not key:
        msg = "must not be blank"
        raise BadRequest(msg, field="username")
    if len(key) > LONGEST_KEY:
        msg = "is too long when its letters are written out"
        raise BadRequest(msg, field="username")
    return name


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common: neither case nor composition counts."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def normal_password(password: str) -> str:
    """Return a password in the one form (NFC, RFC 8265) that keyboards write differently."""
    return unicodedata.normalize("NFC", password)
