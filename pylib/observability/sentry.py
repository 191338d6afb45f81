"""Errors to Sentry: what is logged at ERROR and above, scrubbed of credentials and pictures."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, cast

import structlog

from pylib.observability import redaction

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

log = structlog.get_logger(__name__)

_HANDLER = "pylib.observability.sentry"
_NOT_OURS = ("sentry_sdk", "urllib3", "pika")
"""Loggers that report their own transport's trouble; the first two would report on reporting."""
_LONG = 1_000
_META = frozenset({"event", "exc_info", "level", "logger", "timestamp"})


def start(dsn: str, *, release: str, environment: str, server_name: str) -> bool:
    """From now on report what is logged at ERROR and above; returns whether it does.

    With an empty `dsn` nothing happens and the SDK is not even imported. A malformed one is logged, not raised:
    the service is worth more than its reports. No performance tracing, local variables or personal data.
    """
    if not dsn:
        return False
    import sentry_sdk

    try:
        sentry_sdk.init(
            dsn=dsn,
            release=release,
            environment=environment,
            server_name=server_name,
            before_send=_before_send,
            default_integrations=False,  # they would send argv, every URL asked for, and modules
            auto_enabling_integrations=False,
            # No personal data either: that is the default, and naming it brings a deprecation warning.
            include_local_variables=False,
            spotlight=False,  # or SENTRY_SPOTLIGHT would send to a second place, and personal data too
            max_request_body_size="never",
            max_breadcrumbs=30,
            auto_session_tracking=False,
            traces_sample_rate=None,
            propagate_traces=False,
        )
    except Exception as error:  # noqa: BLE001 - BadDsn and whatever else a mistyped setting brings about
        log.warning("sentry is off: its dsn is not valid", reason=type(error).__name__)
        return False
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.name == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(_Reporter())
    return True


def flush(timeout: float) -> None:
    """Send what is queued, for at most about `timeout` seconds; nothing if Sentry was never started."""
    if "sentry_sdk" in sys.modules:
        sys.modules["sentry_sdk"].flush(timeout=timeout)


class _Reporter(logging.Handler):
    """Turns log lines into breadcrumbs, and errors into events with their exception and fields."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.set_name(_HANDLER)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_NOT_OURS):
            return
        try:
            self._report(record)
        except Exception:  # noqa: BLE001 - a report is not worth an exception in the code that logged
            self.handleError(record)

    def _report(self, record: logging.LogRecord) -> None:
        import sentry_sdk

        fields = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        message = _short(str(fields.get("event", "")))
        own = {key: item for key, item in fields.items() if key not in _META}
        extra = redaction.fields(own, clean=_short)
        level = "fatal" if record.levelno >= logging.CRITICAL else record.levelname.lower()
        if record.levelno < logging.ERROR:
            sentry_sdk.add_breadcrumb(category=record.name, message=message, level=level, data=extra)
            return
        event, hint = _with_exception(record)
        event |= {"level": level, "logger": record.name, "logentry": {"message": message}, "extra": extra}
        sentry_sdk.capture_event(cast("Event", event), hint)


def _with_exception(record: logging.LogRecord) -> tuple[dict[str, Any], Hint]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}, {}
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    event, hint = event_from_exception(
        record.exc_info,
        client_options=sentry_sdk.get_client().options,
        mechanism={"type": "logging", "handled": True},
    )
    return cast("dict[str, Any]", event), hint


def _before_send(event: Event, _: Hint) -> Event:
    return cast("Event", redaction.fields(event, clean=_short))


def _short(string: str) -> str:
    # The SDK decodes bytes with replacement characters before anyone may look: such a string was a picture.
    if "\ufffd" in string:
        return f"<{len(string)} characters>"
    string = redaction.text(string)
    return string if len(string) <= _LONG else f"{string[:200]} (cut, {len(string)} characters)"
