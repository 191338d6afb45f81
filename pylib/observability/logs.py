"""One log line for each event, for people and machines: structlog and every library's logging in one renderer."""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
import threading
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Literal

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from pylib.observability import redaction
from pylib.observability.printable import printable
from pylib.observability.repeats import CountRepeats
from pylib.observability.syslog import SyslogHandler, SyslogTarget

Format = Literal["auto", "console", "json"]

_HANDLER = "pylib.observability.logs"
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_QUIET = (
    "PIL",
    "asyncio",
    "boto3",
    "botocore",
    "googleapiclient",
    "oauth2client",
    "pika",
    "s3transfer",
    "urllib3",
    "uvicorn",
    "watchdog",
)
"""Libraries that log every step at INFO, and at DEBUG the URLs they ask for."""
_REPEATS = ("pika.adapters", "pika.channel", "pika.connection")
"""They log seven errors, one with a traceback, for each refused connection; then they raise what our line has."""


class Logger(structlog.BoundLoggerBase):
    """A bound logger whose calls never raise, whatever the fields (one may even be named `event`).

    A call below the level costs less than a microsecond, a line about 30.
    """

    def debug(self, event: object, /, *args: object, **fields: Any) -> None:
        if self._logger.isEnabledFor(logging.DEBUG):
            self._emit("debug", event, args, fields)

    def info(self, event: object, /, *args: object, **fields: Any) -> None:
        if self._logger.isEnabledFor(logging.INFO):
            self._emit("info", event, args, fields)

    def warning(self, event: object, /, *args: object, **fields: Any) -> None:
        if self._logger.isEnabledFor(logging.WARNING):
            self._emit("warning", event, args, fields)

    def error(self, event: object, /, *args: object, **fields: Any) -> None:
        if self._logger.isEnabledFor(logging.ERROR):
            self._emit("error", event, args, fields)

    def exception(self, event: object, /, *args: object, **fields: Any) -> None:
        fields.setdefault("exc_info", True)
        self.error(event, *args, **fields)

    def critical(self, event: object, /, *args: object, **fields: Any) -> None:
        if self._logger.isEnabledFor(logging.CRITICAL):
            self._emit("critical", event, args, fields)

    def _emit(self, method: str, event: object, args: tuple[object, ...], fields: dict[str, Any]) -> None:
        try:
            for taken in ("event", "level", "logger", "timestamp"):
                if taken in fields:
                    fields[f"{taken}_"] = fields.pop(taken)
            positional, keywords = self._process_event(method, _sentence(event, args), fields)
            getattr(self._logger, method)(*positional, **keywords)
        except structlog.DropEvent:
            return
        except Exception:
            # A log line is not worth an exception in the code that wrote it.
            with suppress(Exception):
                self._logger.exception("log line lost")


def _sentence(event: object, args: tuple[object, ...]) -> str:
    try:
        return str(event) % args if args else str(event)
    except (TypeError, ValueError):
        return f"{event} {args}"


def configure(*, level: str, format: Format, syslog: str = "", program: str = "python") -> None:
    """Send everything that is logged to stderr, and to a syslog if one is named.

    `level` is debug, info, warning, error or critical. `console` is for people (local time, coloured on a
    terminal only), `json` one object a line with UTC time stamps, `auto` the first on a terminal and else the
    second. `syslog` is `udp://host:514`, `tcp://host:514` or `/dev/log`; `program` is the name it sees. Call
    it again to change that. Raises ValueError for a level or a syslog it does not know.
    """
    if level.lower() not in _LEVELS:
        raise ValueError(f"log level is one of {', '.join(_LEVELS)}")
    target = SyslogTarget.parse(syslog) if syslog else None
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_STAMPS, _hand_over],
        wrapper_class=Logger,
        logger_factory=_stdlib_logger,
        cache_logger_on_first_use=True,
    )
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(_formatter(_console() if _for_people(format) else _JSON))
    handlers: list[logging.Handler] = [stream]
    if target is not None:
        handlers.append(SyslogHandler(target, program=program))
        handlers[-1].setFormatter(_formatter(_JSON))
    _install(handlers, _LEVELS[level.lower()])


@atexit.register
def flush() -> None:
    """Log how often lines came that were only counted; to call where a process ends by `os._exit`."""
    for handler in [handler for handler in logging.getLogger().handlers if handler.name == _HANDLER]:
        for counting in handler.filters:
            if isinstance(counting, CountRepeats):
                counting.flush()


def _for_people(format: Format) -> bool:
    return format == "console" or (format == "auto" and sys.stderr.isatty())


def _install(handlers: list[logging.Handler], level: int) -> None:
    flush()
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.name == _HANDLER]:
        root.removeHandler(old)
        old.close()
    counting = CountRepeats()
    for handler in handlers:
        handler.set_name(_HANDLER)
        handler.addFilter(counting)
        root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in _REPEATS:
        logging.getLogger(name).setLevel(logging.NOTSET if level <= logging.DEBUG else logging.CRITICAL)
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _stdlib_logger(*args: Any) -> logging.Logger:
    return logging.getLogger(*args)


def _hand_over(logger: WrappedLogger, name: str, event: EventDict) -> tuple[tuple[EventDict], dict[str, Any]]:
    """To stdlib logging, with the exception where other handlers (Sentry's) look for it: on the record."""
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    elif exc_info and not isinstance(exc_info, tuple):
        exc_info = sys.exc_info()
    if exc_info and exc_info[0] is not None:
        event["exc_info"] = exc_info
        return (event,), {"extra": {"_logger": logger, "_name": name}, "exc_info": exc_info}
    return (event,), {"extra": {"_logger": logger, "_name": name}}


def _clean(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Redact, and put first what people look for first."""
    stamps = {key: event.pop(key) for key in ("timestamp", "level", "logger")}
    return {**stamps, **redaction.fields({"event": event.pop("event"), **event})}


def _local_time(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    moment = datetime.fromisoformat(event["timestamp"]).astimezone()
    event["timestamp"] = moment.strftime("%Y-%m-%d %H:%M:%S")
    return event


def _printable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, item in event.items():
        if isinstance(item, str):
            event[key] = printable(item, keep="\n\t" if key == "exception" else "")
    return event


def _formatter(tail: list[Processor]) -> ProcessorFormatter:
    return ProcessorFormatter(
        foreign_pre_chain=_STAMPS,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _clean,
            *tail,
        ],
    )


def _console() -> list[Processor]:
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return [
        _local_time,
        _printable,
        structlog.dev.ConsoleRenderer(
            colors=colours, pad_event_to=36, exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger(_HANDLER).critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or issubclass(args.exc_type, SystemExit):
        return
    name = args.thread.name if args.thread else "?"
    exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger(_HANDLER).critical("uncaught exception in thread %s", name, exc_info=exc_info)


_STAMPS: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_JSON: list[Processor] = [lambda _, __, event: _ENCODER.encode(event)]
