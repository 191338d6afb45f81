"""`python -m app` and the command `snapshot-processor`: signals first, since loading the rest takes a second."""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

LONG_RUNNING = frozenset({"run", "demo", "ftp"})
"""Commands that SIGTERM and SIGINT end in good order, with status 0."""


def main() -> None:
    """Run the command line. SIGTERM ends it, whatever it does: a container's first process has no default for it."""
    if LONG_RUNNING.intersection(sys.argv):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)  # until a service is opened and takes them over
    else:
        signal.signal(signal.SIGTERM, _end)
    # Whoever starts us may hold them back until now, so that not even the interpreter's own start misses one.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
    gc.disable()  # what is loaded stays: the collector need not look at it, now or later
    command = load_command()
    gc.freeze()
    if "run" not in sys.argv:  # what a service is made of stays, too: `run` turns it on
        gc.enable()
    command()


def load_command() -> Callable[[], Any]:
    """The command line, and all that it needs."""
    # requests would load it to guess the encoding of texts, and we decode none that has to be guessed: 3 MB.
    sys.modules["charset_normalizer"] = None  # type: ignore[assignment]
    warnings.filterwarnings("ignore", "Unable to find acceptable character detection")
    # botocore would load pyOpenSSL where there is one, only to reach what lies behind it: 8 MB.
    sys.modules["urllib3.contrib.pyopenssl"] = None  # type: ignore[assignment]
    # structlog would load rich for coloured tracebacks, and no log of ours has any: 5 MB.
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog  # noqa: F401

    del sys.modules["rich"]
    from app.cli.main import main as command

    return command


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)  # nothing is open yet, so nothing is left to do


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)  # which takes away what a backup is put together in


if __name__ == "__main__":
    main()
