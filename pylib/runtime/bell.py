"""Wakes a thread that polls."""

from __future__ import annotations

import os
from contextlib import suppress


class Bell:
    """Wakes a thread that polls; any thread rings it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._rung = False

    def fileno(self) -> int:
        """The file descriptor to poll for input."""
        return self._read

    def ring(self) -> None:
        if not self._rung:  # many at once cost one system call
            self._rung = True
            with suppress(BlockingIOError):
                os.write(self._write, b"!")

    def silence(self) -> None:
        """Wait for the next ring; check what this one was about after this, not before."""
        with suppress(BlockingIOError):
            os.read(self._read, 65536)
        self._rung = False

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)
