"""Signing keys: the command that manages them, and their reload."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auth import keys
from auth.keys import SigningKeyError, SigningKeys
from servicekit.testing import ContractClient
from tests.support.auth.users import bearer, create_user, log_in, run_auth

pytestmark = pytest.mark.covers_subprocesses


def pem(curve: EllipticCurve) -> str:
    """Return a private key on a curve."""
    key = generate_private_key(curve)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


P256, P384 = pem(SECP256R1()), pem(SECP384R1())


class Clock:
    """A clock set by the test."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        self.now += 2.0  # later than the reload interval
        return self.now


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m auth.keys`."""
    call = [sys.executable, "-m", "auth.keys", *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=False)


def test_the_first_key_is_current_and_the_next_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = command("new", "--dir", str(folder)).stdout.strip()
    second = command("new", "--dir", str(folder)).stdout.strip()
    listed = command("list", "--dir", str(folder)).stdout
    assert f"{first}  current" in listed
    assert f"{second}\n" in listed
    assert (folder / f"{first}.pem").stat().st_mode & 0o777 == 0o600
    assert command("use", second, "--dir", str(folder)).returncode == 0
    assert command("retire", first, "--dir", str(folder)).returncode == 0
    assert command("list", "--dir", str(folder)).stdout == f"{second}  current\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("use", "nobody"), "nobody"),
        (("use", "../current"), "../current"),
        (("retire", "nobody"), "nobody"),
        (("use",), "key id"),
        (("new", "x"), "take none"),
    ],
)
def test_an_invalid_command_is_reported(
    tmp_path: Path, arguments: tuple[str, ...], error: str
) -> None:
    keys.new(tmp_path)
    done = command(*arguments, "--dir", str(tmp_path))
    assert done.returncode != 0
    assert error in done.stderr
    assert "Traceback" not in done.stderr


def test_the_current_key_may_be_named_after_a_byte_order_mark(tmp_path: Path) -> None:
    kid = keys.new(tmp_path)
    pem = tmp_path / f"{kid}.pem"
    pem.write_text(pem.read_text(), encoding="utf-8-sig")
    (tmp_path / "current").write_text(f"{kid}\r\n", encoding="utf-8-sig")
    assert keys.read(tmp_path)[1] == kid


def test_the_current_key_cannot_be_retired(tmp_path: Path) -> None:
    kid = keys.new(tmp_path)
    with pytest.raises(SigningKeyError, match="use another one first"):
        keys.retire(tmp_path, kid)


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({keys.CURRENT_FILE: "nobody"}, "'nobody'"),
        ({keys.CURRENT_FILE: None}, "is missing"),
        ({"a b.pem": P256}, "a key's id"),
        ({"other.pem": P384}, "P-256"),
        ({"other.pem": "not a key"}, "other.pem"),
    ],
)
def test_an_invalid_folder_is_reported(
    tmp_path: Path, files: dict[str, str | None], error: str
) -> None:
    keys.new(tmp_path)
    for name, content in files.items():
        if content is None:
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_text(content)
    with pytest.raises(SigningKeyError, match=error):
        keys.read(tmp_path)


def test_a_missing_key_cannot_be_retired(tmp_path: Path) -> None:
    kid = keys.new(tmp_path)
    with pytest.raises(SigningKeyError, match="no key 'nobody'"):
        keys.retire(tmp_path, "nobody")
    assert list(keys.read(tmp_path)[0]) == [kid]


def test_a_change_is_loaded_and_an_invalid_one_is_ignored(tmp_path: Path) -> None:
    first = keys.new(tmp_path)
    signing = SigningKeys(tmp_path, clock=Clock())
    second = keys.new(tmp_path)
    assert {key["kid"] for key in signing.key_set()["keys"]} == {first, second}
    assert signing.signing()[0] == first
    keys.use(tmp_path, second)
    assert signing.signing()[0] == second
    (tmp_path / "broken.pem").write_text("not a key")
    assert {key["kid"] for key in signing.key_set()["keys"]} == {first, second}
    (tmp_path / "broken.pem").unlink()
    generation = signing.generation
    keys.retire(tmp_path, first)
    assert signing.get(first) is None
    assert signing.generation > generation


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({}, "holds no key"),
        ({"a.pem": "nonsense", "current": "a"}, "a.pem"),
        ({"current": "a"}, "holds no key"),
    ],
)
def test_the_start_fails_without_a_valid_key(
    tmp_path: Path, settings: dict[str, str], files: dict[str, str], error: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    program = "from auth.app import create_app; create_app()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**settings, "KEYS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    assert "KEYS_DIR" in done.stderr
    assert error in done.stderr


@pytest.fixture
def rotated(settings: dict[str, str], tmp_path: Path) -> Iterator[tuple[ContractClient, Path]]:
    """A service with separate signing keys."""
    keys.new(tmp_path)
    for client in run_auth({**settings, "KEYS_DIR": str(tmp_path)}):
        yield client, tmp_path


def test_a_token_stays_valid_until_its_key_is_retired(
    rotated: tuple[ContractClient, Path],
) -> None:
    api, folder = rotated
    (old,) = [path.stem for path in folder.glob("*.pem")]
    token = log_in(api)
    new = keys.new(folder)
    keys.use(folder, new)
    create_user(api, headers=bearer(token))
    for _ in range(100):
        newer = log_in(api)
        kids = {key["kid"] for key in api.get("/users/jwks.json").json()["keys"]}
        if new in kids:
            break
    assert kids == {old, new}
    create_user(api, headers=bearer(newer))
    create_user(api, headers=bearer(token))
