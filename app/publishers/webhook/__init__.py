"""Events as HTTP requests to an address of the owner's: signed, with one deadline, and with bounded answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog

from app.messages import Inspection
from app.publishers import (
    WEBHOOK,
    PublisherContext,
    PublishError,
    PublishRejected,
    PublishUnavailable,
    pictures,
    templates,
)
from app.publishers.templates import Template
from app.publishers.webhook import signature
from app.publishers.webhook.order import InOrder
from app.publishers.webhook.payload import Content, event_of, form, own, plain
from app.publishers.webhook.settings import WebhookSettings
from app.publishers.webhook.transport import Answer, Transport, Unreachable

log = structlog.get_logger(__name__)

LATER = frozenset({408, 425, 429})
"""Statuses by which a target asks for another attempt, besides all from 500 on."""
NEVER = frozenset({410, 413, 415, 422})
"""Statuses of what the target will never take."""
LONGEST_REST_S = 3600.0
"""Longest time that a target may ask for."""

CODES = {
    **pictures.CODES,
    **templates.CODES,
    "webhook_unreachable": ("The webhook's address cannot be reached.", "start what listens there, or correct `url`"),
    "webhook_tls": (
        "The webhook's TLS handshake failed.",
        "renew the certificate; for one that no public authority signed set `ca_file`",
    ),
    "webhook_timeout": (
        "The webhook did not answer in time.",
        "look at what listens there; nothing, if it passes: the service tries again",
    ),
    "webhook_cut": ("The webhook closed the connection without an answer.", "look at what listens there"),
    "webhook_busy": ("The webhook asks to be left alone for a while.", "nothing: the service tries again"),
    "webhook_error": (
        "The webhook answers with an error of its own (5xx).",
        "look at the log of what listens there; nothing, if it passes: the service tries again",
    ),
    "webhook_redirected": (
        "The webhook redirects to another host, or in a circle, or with a 302 or 303.",
        "correct `url`; events are given up after `give_up_after`",
    ),
    "webhook_refused": (
        "The webhook refuses events, by a status such as 401, 403 or 404.",
        "correct `url`, `headers`, `secret` or `body`; events are given up after `give_up_after`",
    ),
    "webhook_rejected": (
        "The webhook will never take this event: it answered 410, 413, 415 or 422.",
        "look at what listens there, and at `format` and `body`; later events are tried all the same",
    ),
}
"""Code -> what happened, and what to do about it."""


class Webhook:
    """One address."""

    title = "webhook"
    notifies = True
    Settings = WebhookSettings

    def __init__(
        self,
        settings: WebhookSettings,
        context: PublisherContext,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = context.name or WEBHOOK
        self.threads = ()
        self.abandon_after = dict.fromkeys(("webhook_refused", "webhook_redirected"), settings.give_up_after)
        self._settings = settings
        self._context = context
        self._clock = clock
        self._monotonic = monotonic
        self._body = Template(settings.body, "body") if settings.body else None
        self._headers = {name: Template(value.get_secret_value(), name) for name, value in settings.headers.items()}
        self._order = InOrder(clock=monotonic)
        self._rests_until = 0.0
        self._failed: set[str] = set()
        self._transport = Transport(
            shown=settings.shown, timeout=settings.timeout, verify=settings.verify, ca_file=settings.ca_file
        )

    def publish(self, inspection: Inspection) -> None:
        """Send one event and return when the target has answered with a 2xx.

        Raises `PublishUnavailable` or `PublishRejected`. An event that a template fails for goes out as plain JSON.
        """
        shown, rest = self._settings.shown, self._rests_until - self._monotonic()
        if rest > 0:
            raise PublishUnavailable("webhook_busy", f"{shown} asked to be left alone for {rest:.0f} s more")
        if not self._order.is_next(inspection.id):
            raise PublishUnavailable("webhook_unreachable", f"{shown} gets events from before its outage first")
        try:
            answer = self._send(inspection)
        except Unreachable:
            self._order.wait(inspection.id)
            raise
        except Exception:
            self._order.passed(inspection.id)
            raise
        self._order.passed(inspection.id)
        self._judge(answer)

    def _send(self, inspection: Inspection) -> Answer:
        settings = self._settings
        picture = b""
        if settings.format == "multipart":
            inspection, picture = pictures.with_picture(inspection)
        event = event_of(inspection, self._context)
        content = self._content(event)
        if settings.format == "multipart":
            gif = pictures.moving(inspection, self._context) if settings.picture == "animation" else b""
            content = form(content, gif or picture, event_id=inspection.id, width=0 if gif else settings.picture_width)
        return self._transport.send(
            settings.method, settings.url.get_secret_value(), content.data, self._all_headers(event, content)
        )

    def _content(self, event: dict[str, Any]) -> Content:
        text = self._rendered(self._body, event, "body") if self._body else None
        return plain(event) if text is None else own(text)

    def _all_headers(self, event: dict[str, Any], content: Content) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {
            "User-Agent": f"snapshot-processor/{self._context.version}",
            "Accept-Encoding": "identity",
            "Content-Type": content.type,
            "Idempotency-Key": event["event_id"],
            **{name: event[name].encode() for name in ("traceparent", "baggage") if name in event},
        }
        for name, template in self._headers.items():
            value = self._rendered(template, event, f"headers.{name}")
            if value is not None:
                known = next((one for one in headers if one.lower() == name.lower()), name)
                headers[known] = " ".join(value.split()).encode("utf-8", "replace")
        if key := self._settings.secret.get_secret_value():
            headers[signature.HEADER] = signature.signature(key, content.data, at=int(self._clock()))
        return headers

    def _rendered(self, template: Template, event: dict[str, Any], setting: str) -> str | None:
        """The text, or None where the template fails for this event, which is said once."""
        try:
            return template.render(event)
        except PublishError as error:
            if setting not in self._failed:
                # The reason of a header may quote what is secret.
                reason = error.detail if setting == "body" else f"The template {setting} fails."
                log.warning("a template fails, events go without it", target=self.name, reason=reason)
            self._failed.add(setting)
            return None

    def _judge(self, answer: Answer) -> None:
        """Raises what an answer other than 2xx means."""
        status, shown = answer.status, self._settings.shown
        if answer.retry_after and (status in LATER or status >= 500):
            self._rests_until = self._monotonic() + min(answer.retry_after, LONGEST_REST_S)
        if 200 <= status < 300:
            return
        if status in LATER:
            raise PublishUnavailable("webhook_busy", f"{shown} answered {status}: later")
        if status >= 500:
            raise PublishUnavailable("webhook_error", f"{shown} answered {status}")
        if status in NEVER:
            raise PublishRejected("webhook_rejected", f"{shown} answered {status}: it will never take this event")
        if 300 <= status < 400:
            raise PublishUnavailable("webhook_redirected", f"{shown} answered {status}: not followed")
        raise PublishUnavailable("webhook_refused", f"{shown} answered {status}", outage=False)
