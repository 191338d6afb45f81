"""How all commands fail: one line on stderr, and an exit status: 1, or 2 for a command that makes no sense."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from app.cli.terminal import say
from pylib.errors import Failure
from pylib.settings.draft import ConfigError

EXIT_CONFIG = 78
"""Exit status for a configuration that cannot be used (EX_CONFIG of sysexits.h)."""


def exit_on_failure(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our failures into one line on the terminal and a non-zero status."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except ConfigError as error:
            for problem in error.problems:
                say(problem, err=True)
            sys.exit(EXIT_CONFIG)
        except Failure as error:
            say(str(error), err=True)
            sys.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read what we print has gone, which click knows
                raise
            say(f"{error.filename}: {error.strerror}" if error.filename else str(error), err=True)
            sys.exit(1)

    return wrapped
