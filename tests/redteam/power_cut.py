"""A file system in a file, whose power can be cut: ext4 drops all that was not flushed."""

import ctypes
import fcntl
import functools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# include/uapi/linux/ext4.h; xfstests simulates power failures by this call
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
CLONE_NEWNS = 0x00020000  # linux/sched.h
FILL_BYTES = 64 * 1024  # at once
SIZE_BYTES = 2 * 1024**3  # of a sparse file


class PowerCutError(Exception):
    """This machine cannot mount a file system in a file; the message has the reason."""


class Disk:
    """An ext4 file system on a loop device."""

    def __init__(self, image: Path, mount: Path) -> None:
        """Mount ``image`` at ``mount``."""
        self._image = image
        self.mount_point = mount
        self._filler = mount / "filler"

    def mount(self) -> None:
        """Mount the file system; the kernel replays its journal after a power cut."""
        _run("mount", "-o", "loop", str(self._image), str(self.mount_point))

    def unmount(self) -> None:
        """Unmount the file system."""
        _run("umount", str(self.mount_point))

    def cut_power(self) -> None:
        """Stop all writes at once, without a flush of the journal."""
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(descriptor)

    def fill(self) -> None:
        """Write a file until no space is left, not even for root."""
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(FILL_BYTES))
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0")

    def free(self) -> None:
        """Delete what ``fill`` wrote."""
        self._filler.unlink()

    def fail(self) -> None:
        """Let the kernel find an error, which makes the file system read-only."""
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        device = next(each[0] for each in mounts if each[1] == str(self.mount_point))
        _run("mount", "-o", "remount,errors=remount-ro", str(self.mount_point))
        Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("redteam")


@contextmanager
def new_disk(folder: Path) -> Iterator[Disk]:
    """Create and mount an empty file system below ``folder``.

    Raises:
        PowerCutError: this machine has no loop devices, no ext4, or not the permission.

    """
    _leave_mount_namespace()
    image, mount = folder / "disk.img", folder / "disk"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    disk = Disk(image, mount)
    _run("mkfs.ext4", "-q", "-F", str(image))
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


@functools.cache
def _leave_mount_namespace() -> None:
    """Mount in a namespace of this process; a container's copy of a mount would keep it alive."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise PowerCutError(f"unshare: {os.strerror(ctypes.get_errno())}")
    _run("mount", "--make-rprivate", "/")


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PowerCutError(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        raise PowerCutError(f"{' '.join(command)}: {done.stderr.strip()}")
