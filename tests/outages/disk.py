"""A file system of a few megabytes in memory, which a test can fill to its last byte."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MOUNT = "a file system of the test's own is needed: sudo .venv/bin/python -m pytest tests/outages (in a container: --cap-add SYS_ADMIN)"
PAGE = 4096


@dataclass(frozen=True)
class Disk:
    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, spare: int = 0) -> None:
        """Until there is no room for another page, but for `spare` bytes."""
        with self._ballast.open("ab", buffering=0) as file:
            room = os.statvfs(self.folder)
            os.posix_fallocate(file.fileno(), 0, file.tell() + room.f_bavail * room.f_frsize - spare)

    def clear(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int = 16) -> Iterator[Disk]:
    """Skips the test where nothing may be mounted."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tonetill-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(MOUNT)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
