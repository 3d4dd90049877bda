"""Places of backups: a folder of a volume, or a bucket of S3.

A set is complete when it has a manifest. It is written last and deleted first, so a set is never
taken for a complete one while it is not. A place may have sets of several servers, such as those of
two releases: each server removes its own alone.
"""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from devstack.backup import MANIFEST, BackupError, back_up, system_of
from devstack.server import Server

if TYPE_CHECKING:
    from obstore.store import ClientConfig  # it exists for type checkers only

NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
NAME_FORMAT = "%Y%m%dT%H%M%S.%fZ"
INCOMPLETE_AGE = timedelta(days=1)  # then its backup was killed
CONNECT_TIMEOUT = timedelta(seconds=10)
TIMEOUT = timedelta(hours=1)  # of one request


class BackupSets(Protocol):
    """A place with sets of backups, each with the name of its time."""

    def add(self, server: Server) -> str:
        """Back up all databases of a server, and return the name of the set."""

    def names(self) -> dict[str, bool]:
        """Return the names of all sets, oldest first, and whether they are complete."""

    def fetch(self, name: str) -> Path:
        """Return a folder with the files of a set."""

    def system(self, name: str) -> str:
        """Return the identifier of the server that a complete set was made from."""

    def remove(self, name: str) -> None:
        """Remove a set."""


class FolderSets:
    """Sets in a folder."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which may be missing."""
        self._folder = folder

    def add(self, server: Server) -> str:
        """Back up all databases of a server, and return the name of the set."""
        return back_up(server, self._folder).name

    def names(self) -> dict[str, bool]:
        """Return the names of all sets, oldest first, and whether they are complete."""
        found = sorted(path for path in self._folder.glob("*") if NAME.fullmatch(path.name))
        return {path.name: (path / MANIFEST).is_file() for path in found}

    def fetch(self, name: str) -> Path:
        """Return the folder of a set."""
        return self._folder / name

    def system(self, name: str) -> str:
        """Return the identifier of the server that a complete set was made from."""
        return system_of((self._folder / name / MANIFEST).read_bytes())

    def remove(self, name: str) -> None:
        """Remove a set."""
        (self._folder / name / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self._folder / name)


class S3Sets:
    """Sets below a prefix of a bucket, with a local folder for their files."""

    def __init__(self, store: S3Store, scratch: Path) -> None:
        """Use a store with a prefix, and a folder with space for one set."""
        self._store, self._scratch = store, scratch

    def add(self, server: Server) -> str:
        """Back up all databases of a server, and return the name of the set."""
        folder = back_up(server, self._scratch)
        try:
            files = sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST)
            with _errors_of_s3("written"):
                for path in files:
                    obstore.put(self._store, f"{folder.name}/{path.name}", path)
        finally:
            shutil.rmtree(folder)
        return folder.name

    def names(self) -> dict[str, bool]:
        """Return the names of all sets, oldest first, and whether they are complete."""
        with _errors_of_s3("listed"):
            paths = {entry["path"] for entry in obstore.list(self._store).collect()}
        names = sorted({path.partition("/")[0] for path in paths})
        return {name: f"{name}/{MANIFEST}" in paths for name in names if NAME.fullmatch(name)}

    def fetch(self, name: str) -> Path:
        """Copy the files of a set to the local folder, and return their folder."""
        folder = self._scratch / name
        folder.mkdir(parents=True)
        with _errors_of_s3("read"):
            for path in self._paths(name):
                with (folder / Path(path).name).open("wb") as file:
                    file.writelines(obstore.get(self._store, path).stream())
        return folder

    def system(self, name: str) -> str:
        """Return the identifier of the server that a complete set was made from."""
        with _errors_of_s3("read"):
            return system_of(bytes(obstore.get(self._store, f"{name}/{MANIFEST}").bytes()))

    def remove(self, name: str) -> None:
        """Remove a set."""
        paths = sorted(self._paths(name), key=lambda path: not path.endswith(f"/{MANIFEST}"))
        with _errors_of_s3("deleted"):
            for path in paths:
                obstore.delete(self._store, path)

    def _paths(self, name: str) -> list[str]:
        with _errors_of_s3("listed"):
            found = obstore.list(self._store, prefix=name).collect()
        return [entry["path"] for entry in found]


def open_sets(place: str, scratch: Path, *, endpoint: str, region: str, ca: str) -> BackupSets:
    """Return the sets in a folder, or below ``s3://BUCKET/PREFIX`` of an endpoint.

    The credentials of S3 are those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. ``ca`` is a file
    with certificates (PEM) that are trusted too.

    Raises:
        BackupError: the file of the certificates cannot be read.

    """
    address = urlsplit(place)
    if address.scheme != "s3":
        return FolderSets(Path(place))
    client: ClientConfig = {
        "allow_http": endpoint.startswith("http:"),
        "connect_timeout": CONNECT_TIMEOUT,
        "timeout": TIMEOUT,
    }
    if ca:
        try:
            client["root_certificate"] = Path(ca).read_bytes()
        except OSError as error:
            raise BackupError(f"{ca} cannot be read: {error.strerror}") from error
    with _errors_of_s3("used"):
        store = S3Store(
            address.netloc,
            prefix=address.path.strip("/") or None,
            endpoint=endpoint,
            region=region,
            virtual_hosted_style_request=False,
            client_options=client,
        )
    return S3Sets(store, scratch)


def select(sets: BackupSets, name: str, system: str) -> str:
    """Return the name of a set, or of the newest complete one of the server ``system``.

    If there are only sets of one other server, the newest one is that of a server to be replaced.

    Raises:
        BackupError: there is none, it is not complete, or it could be of any of several servers.

    """
    complete = [found for found, is_complete in sets.names().items() if is_complete]
    if not complete:
        raise BackupError("there is no complete backup")
    if name and name not in complete:
        raise BackupError(f"there is no complete backup {name}: choose from {', '.join(complete)}")
    if name:
        return name
    systems = {found: sets.system(found) for found in complete}
    own = [found for found in complete if systems[found] == system]
    if not own and len(set(systems.values())) > 1:
        newest = {made_from: found for found, made_from in systems.items()}
        listed = ", ".join(f"{found} of {made_from}" for made_from, found in newest.items())
        raise BackupError(f"the backups are of several servers, choose a set: {listed}")
    return (own or complete)[-1]


def remove_old(
    sets: BackupSets,
    keep: int,
    system: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[str]:
    """Remove all but the newest ``keep`` complete sets of the server ``system``.

    Incomplete sets are removed when they are a day old. Returns the removed names.
    """
    names = sets.names()
    complete = [name for name, is_complete in names.items() if is_complete]
    own = [name for name in complete if sets.system(name) == system]
    if others := len(complete) - len(own):
        sys.stderr.write(f"backup: sets of other servers, which are kept: {others}\n")
    limit = (now() - INCOMPLETE_AGE).strftime(NAME_FORMAT)
    killed = [name for name, is_complete in names.items() if not is_complete and name < limit]
    removed = sorted([*own[:-keep], *killed])
    for name in removed:
        sys.stderr.write(f"backup: removing {name}\n")
        sets.remove(name)
    return removed


@contextmanager
def _errors_of_s3(done: str) -> Iterator[None]:
    """Raise ``BackupError`` for an error of S3, with its first line."""
    try:
        yield
    except BaseError as error:
        reason = str(error).partition("\n")[0]
        raise BackupError(f"S3 cannot be {done}: {reason}") from error
