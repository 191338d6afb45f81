"""Messages to browsers in which people allowed them (Push API), encrypted for each of them (RFC 8291)."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

import certifi
import structlog
from pydantic import Field
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.util.ssl_ import create_urllib3_context

from app.messages import Inspection
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.notice import CODES as SHARED
from app.publishers.notice import Notice, NoticeSettings, Writer, cut, given_up_after
from app.rules.push import KEY_FILE
from app.rules.subscribers import Subscriber
from pylib.net.deadline import passed, timed_pools, within
from pylib.net.public_only import NotPublic, PublicPool, PublicTLSPool
from pylib.net.vapid import vapid_key
from pylib.runtime.circuit_breaker import Breaker
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Browsers told at the same time: one push service that is away must not hold those of others back."""

LARGEST = 3900
"""Bytes of a message: push services take 4,096 with the encryption (RFC 8291, 4)."""

SIGNED_S = 12 * 3600
"""How long a signature of ours is good for; a day at the most (RFC 8292, 2)."""

PATIENCE_S = 30.0
"""How long a message waits for the first browser."""

PAUSE_S = 30.0
LONGEST_PAUSE_S = 120.0
"""How long a push service that was silent is not asked: each time costs all other browsers a whole `timeout`."""

REMEMBERED = 5000
"""Events of which is remembered who had them while others wait: beyond those of a day, so that none is told twice."""

CODES = {
    **SHARED,
    "no_album": ("Messages to browsers need the album, in which people allow them.", "switch it on: WEB_ENABLED"),
    "nobody_subscribed": (
        "No browser gets messages of this outlet. They are given up after a while.",
        "allow them in the album, on its status page",
    ),
    "bad_key": ("The key for push services cannot be read.", "restore web/push_key.pem from a backup"),
}
"""Code -> what happened, and what to do about it."""


class WebPushSettings(NoticeSettings):
    """Messages to browsers; each is allowed in the album, on the device."""

    subject: str = Field(
        max_length=200,
        pattern=r"^(mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://\S+)$",
        description="Whom a push service may write to when something is wrong: `mailto:you@example.org`.",
    )
    ttl: int = Field(
        default=3600,
        ge=0,
        le=2_419_200,
        description="Seconds that push services keep a message for a device that is off.",
    )
    urgency: Literal["very-low", "low", "normal", "high"] = Field(
        default="high", description="Whether a message wakes a device that saves power."
    )
    allow_private: bool = Field(
        default=False, description="Take push services in private networks and without TLS as well."
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a message for one browser."""

    subscriber: Subscriber
    code: str = ""
    """Empty when its push service took it."""
    detail: str = ""

    @property
    def final(self) -> bool:
        return self.code in ("", "target_gone", "login_refused", "message_refused")


class WebPush:
    """The browsers of one outlet."""

    title = "messages to browsers (web push)"
    notifies = True
    Settings = WebPushSettings

    def __init__(self, settings: WebPushSettings, context: PublisherContext) -> None:
        """Load pywebpush; sends nothing. Raises `PublishError`."""
        try:
            import pywebpush
        except ImportError:
            sentence = "Messages to browsers need pywebpush: install snapshot-processor[push]."
            raise PublishError("not_installed", sentence) from None
        self.name = context.name
        self.threads: Sequence[ManagedThread] = ()
        self.abandon_after = {**given_up_after(settings.give_up_after), "nobody_subscribed": PATIENCE_S}
        self._library: Any = pywebpush
        self._settings = settings
        self._context = context
        self._writer = Writer(settings, context, links=False)
        self._finals: OrderedDict[str, dict[str, _Outcome]] = OrderedDict()
        """Event id -> endpoint -> what became of it there; of events that other browsers wait for."""
        self._breakers: dict[str, Breaker] = {}
        """By endpoint."""
        self._http = _http(settings)

    def publish(self, inspection: Inspection) -> None:
        """Tell every browser that was not told yet. Raises `PublishUnavailable` or `PublishRejected`.

        One that its push service no longer knows is unsubscribed. A restart forgets who had a message that others
        wait for: those get it again, under the same tag, which takes the place of the first.
        """
        self._tell([inspection])

    def publish_digest(self, inspections: Sequence[Inspection]) -> None:
        """The same for many events. A browser that has had some of them is told the others."""
        self._tell(inspections)

    def _tell(self, inspections: Sequence[Inspection]) -> None:
        store = self._context.subscribers
        if store is None:
            raise PublishUnavailable("no_album", "There is no album in which browsers could subscribe.")
        subscribers = store.subscribers(self.name)
        if not subscribers:
            sentence = f"No browser gets messages of {self.name}: allow them in the album, on its status page."
            raise PublishUnavailable("nobody_subscribed", sentence)
        finals = {inspection.id: self._remember(inspection.id) for inspection in inspections}
        outcomes = self._send_new(subscribers, inspections, finals)
        for outcome in outcomes:
            if outcome.final:
                for had in finals.values():
                    had.setdefault(outcome.subscriber.endpoint, outcome)
            if outcome.code == "target_gone":
                store.unsubscribe(outcome.subscriber.endpoint)
                log.info("browser unsubscribed", target=self.name, person=outcome.subscriber.person)
            elif outcome.code:
                log.warning("browser not told", target=self.name, reason=f"{outcome.code}: {outcome.detail}")
        later = [outcome for outcome in outcomes if not outcome.final]
        if later:
            detail = f"{len(later)} of {len(outcomes)} browsers wait for it; {later[0].detail}"
            raise PublishUnavailable(later[0].code, detail)
        for event_id in finals:
            self._finals.pop(event_id, None)
        self._conclude([outcome for had in finals.values() for outcome in had.values()])

    def _send_new(
        self,
        subscribers: Sequence[Subscriber],
        inspections: Sequence[Inspection],
        finals: Mapping[str, Mapping[str, _Outcome]],
    ) -> list[_Outcome]:
        """Tell each of them of the events that it has not had."""
        new = {one: frozenset(event for event, had in finals.items() if one.endpoint not in had) for one in subscribers}
        messages = {
            events: self._message(self._writer.digest([one for one in inspections if one.id in events]))
            for events in set(filter(None, new.values()))
        }
        waiting = [one for one in subscribers if new[one]]
        self._breakers = {
            one.endpoint: self._breakers.get(one.endpoint)
            or Breaker(threshold=1, cooldown=PAUSE_S, longest=LONGEST_PAUSE_S)
            for one in subscribers
        }
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"push {self.name}") as pool:
            return list(pool.map(lambda one: self._send(one, messages[new[one]]), waiting))

    def _conclude(self, finals: Collection[_Outcome]) -> None:
        """Raise where nobody will ever be told."""
        if any(not outcome.code for outcome in finals):
            return
        for outcome in finals:
            if outcome.code != "target_gone":
                raise PublishRejected(outcome.code, outcome.detail)
        sentence = "No browser takes them any more: allow messages again in the album, on its status page."
        raise PublishRejected("target_gone", sentence)

    def _remember(self, event_id: str) -> dict[str, _Outcome]:
        finals = self._finals.setdefault(event_id, {})
        self._finals.move_to_end(event_id)
        if len(self._finals) > REMEMBERED:
            self._finals.popitem(last=False)
        return finals

    def _message(self, notice: Notice) -> bytes:
        context, about = self._context, notice.about
        values: dict[str, object] = {
            "title": notice.title,
            "body": notice.text,
            "tag": about.id,
            "time": int(about.snapshot.taken_at.timestamp() * 1000),
            "url": context.event_url(about.id),
            "thumbnail": notice.thumbnail.url if notice.thumbnail else _thumbnail(about, context),
            "snooze": context.snooze_url(about.camera),
        }
        text = json.dumps(values, ensure_ascii=False).encode()
        if len(text) > LARGEST:
            values["body"] = cut(notice.text, max(1, (LARGEST - len(text) + len(notice.text.encode())) // 4))
            text = json.dumps(values, ensure_ascii=False).encode()
        return text

    def _send(self, subscriber: Subscriber, message: bytes) -> _Outcome:
        whose = f"{subscriber.person or 'a browser'} at {urlsplit(subscriber.endpoint).hostname}"
        breaker = self._breakers[subscriber.endpoint]
        if not breaker.allow():
            return _Outcome(subscriber, "target_silent", f"{whose}: no answer, asked again in {breaker.retry_in:.0f} s")
        outcome = self._ask(subscriber, message, whose)
        if outcome.code == "target_silent":
            breaker.failed()
        else:
            breaker.succeeded()
        return outcome

    def _ask(self, subscriber: Subscriber, message: bytes, whose: str) -> _Outcome:
        with within(self._settings.timeout):
            try:
                status = self._post(subscriber, message)
            except NotPublic:
                # The name may lead home while the internet is away: no reason to unsubscribe.
                return _Outcome(subscriber, "target_away", f"{whose}: not a public address")
            except PublishError as error:
                return _Outcome(subscriber, error.code, error.detail)
            except Exception as error:  # noqa: BLE001 - urllib3 and pywebpush raise many; one browser's are its own
                if passed():
                    detail = f"{whose}: no answer within {self._settings.timeout:g} s"
                    return _Outcome(subscriber, "target_silent", detail)
                return _Outcome(subscriber, "target_away", f"{whose}: {type(error).__name__}")
        return _Outcome(subscriber, _code(status), f"{whose}: answer {status}")

    def _post(self, subscriber: Subscriber, message: bytes) -> int:
        info = {"endpoint": subscriber.endpoint, "keys": {"p256dh": subscriber.p256dh, "auth": subscriber.auth}}
        body = self._library.WebPusher(info).encode(message)["body"]
        headers = {
            **self._signed(subscriber.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._settings.ttl),
            "Urgency": self._settings.urgency,
        }
        answer = self._http.request(
            "POST", subscriber.endpoint, body=body, headers=headers, redirect=False, preload_content=False
        )
        status: int = answer.status
        answer.close()
        return status

    def _signed(self, endpoint: str) -> Mapping[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time.time()) + SIGNED_S,
            "sub": self._settings.subject,
        }
        signed: Mapping[str, str] = self._key.sign(claims)
        return signed

    @cached_property
    def _key(self) -> Any:
        try:
            key = vapid_key(self._context.data_dir / KEY_FILE)
        except (OSError, ValueError) as error:
            raise PublishUnavailable("bad_key", f"The key for push services cannot be read: {error}") from None
        return self._library.Vapid(private_key=key)


def _thumbnail(about: Inspection, context: PublisherContext) -> str:
    return context.thumbnail_url(about.id) if about.snapshot.path else ""


def _code(status: int) -> str:
    """What a push service's answer means (RFC 8030, 5 and 7.3)."""
    if 200 <= status < 300:
        return ""
    if status in (404, 410):
        return "target_gone"
    if status in (401, 403):
        return "login_refused"
    return "message_refused" if status in (400, 413) else "target_busy"


def _http(settings: WebPushSettings) -> PoolManager:
    """What asks push services: public ones only unless they may be private, in bounded time, once."""
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    manager = PoolManager(
        num_pools=AT_ONCE,
        maxsize=AT_ONCE,
        retries=False,
        timeout=Timeout(connect=settings.timeout, read=settings.timeout),
        ssl_context=context,
    )
    pools = (HTTPConnectionPool, HTTPSConnectionPool) if settings.allow_private else (PublicPool, PublicTLSPool)
    manager.pool_classes_by_scheme = timed_pools(*pools)
    return manager
