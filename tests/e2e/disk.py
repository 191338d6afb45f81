"""A disk that a test can fill: a small file system where we may mount one, else a limit on one process's files."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.e2e.process import ServiceProcess

SIZE = "16m"


class Disk(Protocol):
    """Room for one service's data."""

    folder: Path

    def fill(self, service: ServiceProcess) -> None:
        """Let it write nothing more."""
        ...

    def free(self, service: ServiceProcess) -> None:
        """Let it write again; a service that has been started anew may already."""
        ...


class SmallFileSystem:
    """Says ENOSPC, like the real thing. Needs root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, service: ServiceProcess) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            for piece in (64 * 1024, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(piece))

    def free(self, service: ServiceProcess) -> None:
        self._ballast.unlink()


class LimitedFiles:
    """Says EFBIG where a file would grow beyond a page: the nearest that anybody may do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, service: ServiceProcess) -> None:
        self._limit(service, 4096)

    def free(self, service: ServiceProcess) -> None:
        self._limit(service, resource.getrlimit(resource.RLIMIT_FSIZE)[0])

    def _limit(self, service: ServiceProcess, size: int) -> None:
        _, hard = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (size, hard))


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk at this folder, which is made."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield LimitedFiles(folder)
        return
    try:
        yield SmallFileSystem(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
