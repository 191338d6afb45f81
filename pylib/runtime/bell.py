"""Wakes a thread that polls."""

from __future__ import annotations

import os
import threading
from contextlib import suppress


class Bell:
    """Wakes a thread that polls; any thread rings it, also when that has closed it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._lock = threading.Lock()
        self._rung = False

    def fileno(self) -> int:
        """The file descriptor to poll for input."""
        return self._read

    def ring(self) -> None:
        with self._lock:
            if not self._rung:  # many at once cost one system call
                self._rung = True
                with suppress(BlockingIOError):
                    os.write(self._write, b"!")

    def silence(self) -> None:
        """Wait for the next ring; check what this one was about after this, not before."""
        with self._lock:
            with suppress(BlockingIOError):
                os.read(self._read, 65536)
            self._rung = False

    def close(self) -> None:
        with self._lock:
            self._rung = True
            os.close(self._read)
            os.close(self._write)
