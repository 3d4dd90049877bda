"""Files and folders that survive a power loss: written, flushed, renamed, and flushed again."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Create or replace a file atomically, readable by its owner only.

    After the return, the file survives a power loss; before, the old file does.
    """
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    rename(draft, path)


def rename(source: Path, target: Path) -> None:
    """Rename a file or a folder durably within its folder."""
    source.replace(target)
    sync_folder(target.parent)


def create_folder(path: Path) -> None:
    """Create a missing folder durably, with its missing parents; only its owner may open it."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        create_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
