"""A process that starts itself anew under its own id, as a container's first process has to."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn


class Restart:
    """Whether the process is to start anew once it has ended in good order. From any thread."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        self.wanted = False

    @property
    def possible(self) -> bool:
        """Whether whoever runs the process has said that it can."""
        return self._stop is not None

    def allow(self, stop: Callable[[], None]) -> None:
        """`stop` ends the work soon, in good order; whoever waits for that looks at `wanted` then."""
        self._stop = stop

    def request(self) -> None:
        """End the work soon, and begin anew."""
        if self._stop is not None:
            self.wanted = True
            self._stop()


def start_anew(environ: Mapping[str, str]) -> NoReturn:
    """Become the process that this command line makes, in this environment; every thread ends here.

    A signal that comes meanwhile waits until the new program takes it: without a handler yet, a container's first
    process would miss it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], dict(environ))  # noqa: S606 - our own command line
