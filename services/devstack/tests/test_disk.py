"""A full or read-only disk is named."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import disk
from devstack.disk import DiskWatch
from tests.support.local_system import refused


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 80 MiB in memory."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=80M", "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("only root may mount a file system")
    yield mount
    subprocess.run(["umount", "--lazy", str(mount)], check=True)  # noqa: S607 - the system's


def fill(folder: Path, mebibytes: int) -> None:
    """Write a file."""
    (folder / f"filler-{mebibytes}").write_bytes(b"x" * (mebibytes * disk.MIB))


def test_a_disk_that_is_almost_full_or_full_is_named(small_disk: Path) -> None:
    assert disk.problem(small_disk) == ""
    fill(small_disk, 60)
    assert f"the disk of {small_disk} is almost full: 20 MiB" in disk.problem(small_disk)
    fill(small_disk, 20)
    assert "No space left on device" in disk.problem(small_disk)


def test_a_disk_that_became_read_only_is_named(small_disk: Path) -> None:
    command = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(command, check=True)
    assert "Read-only file system" in disk.problem(small_disk)


def test_a_fault_is_reported_once_until_it_has_passed(small_disk: Path) -> None:
    watch = DiskWatch(small_disk, 5)
    assert watch.new_problem(0) == ""
    fill(small_disk, 60)
    assert watch.new_problem(4) == ""
    assert "almost full" in watch.new_problem(5)
    fill(small_disk, 1)
    assert watch.new_problem(10) == ""
    for path in small_disk.iterdir():
        path.unlink()
    assert watch.new_problem(15) == ""
    fill(small_disk, 60)
    assert "almost full" in watch.new_problem(20)


def test_a_fault_is_reported_again_when_it_becomes_worse(small_disk: Path) -> None:
    watch = DiskWatch(small_disk, 5)
    fill(small_disk, 60)
    assert "20 MiB of 80 are free" in watch.new_problem(0)
    fill(small_disk, 20)
    full = watch.new_problem(5)
    assert f"the disk of {small_disk} cannot be written (No space left on device)" in full
    assert "0 MiB of 80 are free; free some space" in full
    assert watch.new_problem(10) == ""
    (small_disk / "filler-20").unlink()
    assert watch.new_problem(15) == ""
    fill(small_disk, 20)
    assert "No space left on device" in watch.new_problem(20)


def test_a_disk_that_became_read_only_is_reported_with_a_remedy(small_disk: Path) -> None:
    watch = DiskWatch(small_disk, 5)
    fill(small_disk, 60)
    assert "almost full" in watch.new_problem(0)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)  # noqa: S607 - the system's
    found = watch.new_problem(5)
    assert "(Read-only file system): check the disk, and mount it writable" in found


def test_a_start_on_a_full_disk_ends_with_that_reason(small_disk: Path) -> None:
    fill(small_disk, 60)
    sentence = refused(small_disk / "data")
    assert "the disk of" in sentence
    assert "No space left on device" in sentence or "almost full" in sentence
