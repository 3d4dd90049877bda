"""Signing keys: a folder of private keys with published public keys; one key is current.

`python -m auth.keys` manages the folder. To rotate: ``new``; wait until every service has fetched
the key set (a minute); ``use``; wait until the last token of the old key has expired; ``retire``.
"""

import argparse
import logging
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from servicekit import durable_files

CURRENT_FILE = "current"  # contains the id of the signing key
RELOAD_INTERVAL_SECONDS = 1.0  # minimum between two checks of the folder

_KID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")

log = logging.getLogger(__name__)


class SigningKeyError(Exception):
    """The folder has no valid keys; the message has a remedy."""


class SigningKeys:
    """The keys of a folder, reloaded when it changes; an invalid change is ignored."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the keys.

        Raises:
            SigningKeyError: there is no key, or a file is invalid.

        """
        self.generation = 0
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._checked_at = clock()
        self._fingerprint = _fingerprint(folder)
        self._keys, self._current = read(folder)

    def get(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the public key of an id, or None."""
        self._reload_if_changed()
        key = self._keys.get(kid)
        return None if key is None else key.public_key()

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        """Return the id of the current key and the key."""
        self._reload_if_changed()
        return self._current, self._keys[self._current]

    def key_set(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        self._reload_if_changed()
        keys = [
            {
                **ECAlgorithm.to_jwk(key.public_key(), as_dict=True),
                "kid": kid,
                "use": "sig",
                "alg": "ES256",
            }
            for kid, key in self._keys.items()
        ]
        return {"keys": keys}

    def _reload_if_changed(self) -> None:
        with self._lock:
            if self._clock() - self._checked_at < RELOAD_INTERVAL_SECONDS:
                return
            self._checked_at = self._clock()
            try:
                fingerprint = _fingerprint(self._folder)
                if fingerprint == self._fingerprint:
                    return
                keys, current = read(self._folder)
            except (SigningKeyError, OSError) as error:
                log.warning("an invalid change of the signing keys is ignored: %s", error)
                return
            self._fingerprint = fingerprint
            if self._keys.keys() - keys.keys():
                self.generation += 1
            self._keys, self._current = keys, current
            log.info("signing keys loaded: %s; the current key is %s", ", ".join(keys), current)


def read(folder: Path) -> tuple[dict[str, EllipticCurvePrivateKey], str]:
    """Return the keys of a folder by id, and the id of the current key.

    Raises:
        SigningKeyError: a key is missing or not on the curve P-256, or none is current.

    """
    keys = {path.stem: _load(path) for path in sorted(folder.glob("*.pem"))}
    if not keys:
        raise SigningKeyError(
            f"{folder} holds no key: make one with python -m auth.keys new --dir {folder}"
        )
    try:
        current = (folder / CURRENT_FILE).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        raise SigningKeyError(
            f"{folder / CURRENT_FILE} is missing: it must hold the id of the signing key"
        ) from None
    if current not in keys:
        raise SigningKeyError(f"{folder / CURRENT_FILE} names the missing key {current!r}")
    return keys, current


def new(folder: Path) -> str:
    """Create a key and return its id; the first one becomes current."""
    durable_files.create_folder(folder)
    kid = secrets.token_hex(8)
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    durable_files.write(folder / f"{kid}.pem", pem)
    if not (folder / CURRENT_FILE).exists():
        use(folder, kid)
    return kid


def use(folder: Path, kid: str) -> None:
    """Make a key current; raise ``SigningKeyError`` if it does not exist."""
    if not _KID.match(kid) or not (folder / f"{kid}.pem").is_file():
        raise SigningKeyError(f"there is no key {kid!r} in {folder}")
    durable_files.write(folder / CURRENT_FILE, kid.encode())


def retire(folder: Path, kid: str) -> None:
    """Delete a key; raise ``SigningKeyError`` for the current and for a missing one."""
    keys, current = read(folder)
    if kid == current:
        raise SigningKeyError(f"{kid} is the current key: use another one first")
    if kid not in keys:
        raise SigningKeyError(f"there is no key {kid!r} in {folder}")
    (folder / f"{kid}.pem").unlink()


def _load(path: Path) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(
            f"{path.name} is not a readable private key ({type(error).__name__})"
        ) from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise SigningKeyError(f"{path.name} is not a key on the curve P-256")
    if not _KID.match(path.stem):
        raise SigningKeyError(
            f"{path.name}: a key's id has up to 64 letters, digits, dots and dashes"
        )
    return key


def _fingerprint(folder: Path) -> list[tuple[str, int, int]]:
    """Return times and inodes of the files; a mounted Secret replaces links."""
    stats = [(path.name, _stat(path)) for path in sorted(folder.iterdir())]
    return [(name, stat.st_mtime_ns, stat.st_ino) for name, stat in stats]


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError:  # a dangling link
        return path.lstat()


def main() -> None:
    """Create, select, delete or list keys."""
    parser = argparse.ArgumentParser(prog="python -m auth.keys", description=__doc__)
    parser.add_argument("command", choices=("new", "use", "retire", "list"))
    parser.add_argument("kid", nargs="?", help="id of the key, for use and retire")
    parser.add_argument("--dir", type=Path, required=True, help="folder of the keys")
    options = parser.parse_args()
    if (options.kid is None) == (options.command in {"use", "retire"}):
        parser.error("use and retire need a key id; new and list take none")
    try:
        _run(options.command, options.dir, options.kid)
    except (SigningKeyError, OSError) as error:
        sys.exit(f"auth.keys: {error}")


def _run(command: str, folder: Path, kid: str) -> None:
    if command == "new":
        print(new(folder))
    elif command == "list":
        keys, current = read(folder)
        for name in keys:
            print(f"{name}  current" if name == current else name)
    else:
        {"use": use, "retire": retire}[command](folder, kid)


if __name__ == "__main__":
    main()
