"""The signing keys: a folder of private keys, all published, one of them current.

``python -m auth.keys`` makes, promotes and retires them. Rotation is: ``new``, wait until every
service has fetched it (a minute), ``use``, wait until the last token of the old key has expired,
``retire``.
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

CURRENT = "current"  # the file that holds the id of the key that signs
LOOK = 1.0  # seconds at least between two looks at the folder

_KID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")

log = logging.getLogger(__name__)


class KeysError(Exception):
    """The folder does not hold what it must; the message says what to do."""


class SigningKeys:
    """The keys of a folder, read again when it changes; a broken change leaves the old ones."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the keys.

        Raises:
            KeysError: there is none, or a file is not one.

        """
        self.generation = 0
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock()
        self._state = _state(folder)
        self._keys, self._current = read(folder)

    def get(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the public key of that id, or nothing when it is not published."""
        self._look()
        key = self._keys.get(kid)
        return None if key is None else key.public_key()

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        """Return the id of the current key, and the key."""
        self._look()
        return self._current, self._keys[self._current]

    def key_set(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        self._look()
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

    def _look(self) -> None:
        with self._lock:
            if self._clock() - self._looked < LOOK:
                return
            self._looked = self._clock()
            state = _state(self._folder)
            if state == self._state:
                return
            try:
                keys, current = read(self._folder)
            except KeysError as error:
                log.warning("the signing keys are kept as they were: %s", error)
                return
            self._state = state
            if self._keys.keys() - keys.keys():
                self.generation += 1
            self._keys, self._current = keys, current
            log.info("signing keys read: %s, signing with %s", ", ".join(keys), current)


def read(folder: Path) -> tuple[dict[str, EllipticCurvePrivateKey], str]:
    """Return the keys of a folder by their ids, and the id of the current one.

    Raises:
        KeysError: there is none, a file is not a private key on P-256, or none is current.

    """
    keys = {path.stem: _load(path) for path in sorted(folder.glob("*.pem"))}
    if not keys:
        message = f"{folder} holds no key: make one with python -m auth.keys new --dir {folder}"
        raise KeysError(message)
    try:
        current = (folder / CURRENT).read_text().strip()
    except OSError:
        message = f"{folder / CURRENT} is missing: it must hold the id of the key that signs"
        raise KeysError(message) from None
    if current not in keys:
        message = f"{folder / CURRENT} names {current!r}, and there is no such key beside it"
        raise KeysError(message)
    return keys, current


def new(folder: Path) -> str:
    """Make a key, current when it is the first, and return its id."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kid = secrets.token_hex(8)
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    _write(folder / f"{kid}.pem", pem)
    if not (folder / CURRENT).exists():
        use(folder, kid)
    return kid


def use(folder: Path, kid: str) -> None:
    """Sign with that key from now on; raises ``KeysError`` when there is none of that id."""
    if not _KID.match(kid) or not (folder / f"{kid}.pem").is_file():
        message = f"there is no key {kid!r} in {folder}"
        raise KeysError(message)
    _write(folder / CURRENT, kid.encode())


def retire(folder: Path, kid: str) -> None:
    """Publish that key no more; raises ``KeysError`` for the current one, and for none."""
    keys, current = read(folder)
    if kid == current:
        message = f"{kid} is the key that signs: use another one first"
        raise KeysError(message)
    if kid not in keys:
        message = f"there is no key {kid!r} in {folder}"
        raise KeysError(message)
    (folder / f"{kid}.pem").unlink()


def _load(path: Path) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = f"{path.name} is not a private key that can be read ({type(error).__name__})"
        raise KeysError(message) from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        message = f"{path.name} is not a key on the curve P-256"
        raise KeysError(message)
    if not _KID.match(path.stem):
        message = f"{path.name}: a key's id has up to 64 letters, digits, dots and dashes"
        raise KeysError(message)
    return key


def _state(folder: Path) -> list[tuple[str, int, int]]:
    """Return what changes when a key does; a mounted Secret changes by its links."""
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    return [(name, stat.st_mtime_ns, stat.st_ino) for name, stat in stats]


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


def main() -> None:
    """Make, promote, retire or list keys."""
    parser = argparse.ArgumentParser(prog="python -m auth.keys", description=__doc__)
    parser.add_argument("command", choices=("new", "use", "retire", "list"))
    parser.add_argument("kid", nargs="?", help="the key's id, for use and retire")
    parser.add_argument("--dir", type=Path, required=True, help="the folder of the keys")
    options = parser.parse_args()
    if (options.kid is None) == (options.command in {"use", "retire"}):
        parser.error("use and retire take a key's id, new and list take none")
    try:
        _run(options.command, options.dir, options.kid)
    except (KeysError, OSError) as error:
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
