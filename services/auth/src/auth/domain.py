"""What a user is, and when two names are one."""

import unicodedata


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common: neither case nor composition counts."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def normal_password(password: str) -> str:
    """Return a password in the one form (NFC, RFC 8265) that keyboards write differently."""
    return unicodedata.normalize("NFC", password)
