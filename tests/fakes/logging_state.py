"""Puts logging back as it was, so that a test may configure it for real."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog._config import BoundLoggerLazyProxy

_TOUCHED = ("pika", "pika.adapters", "pika.connection", "urllib3", "botocore", "watchdog", "asyncio", "PIL")


@contextmanager
def restored_logging() -> Iterator[None]:
    """Undoes what `logs.configure` and `sentry.start` do to structlog, logging and the hooks."""
    root = logging.getLogger()
    configured, config = structlog.is_configured(), structlog.get_config()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in _TOUCHED}
    hooks = sys.excepthook, threading.excepthook
    try:
        yield
    finally:
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
        for name, old in levels.items():
            logging.getLogger(name).setLevel(old)
        logging.raiseExceptions = raising
        logging.captureWarnings(capture=False)
        sys.excepthook, threading.excepthook = hooks
        structlog.configure(**config) if configured else structlog.reset_defaults()
        _forget_cached_loggers()


def _forget_cached_loggers() -> None:
    """Let our modules' loggers follow the configuration again, or `capture_logs` would hear nothing."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("app", "pylib"):
            for value in vars(module).values():
                if isinstance(value, BoundLoggerLazyProxy):
                    vars(value).pop("bind", None)
