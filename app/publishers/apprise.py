"""Messages to people through Apprise: ntfy, Telegram, Pushover, Signal, mail and more than a hundred other services."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import unquote, urlencode

from pydantic import Field

from app.messages import Inspection
from app.publishers import MESSAGES, PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.notice import CODES as CODES
from app.publishers.notice import Notice, NoticeSettings, Writer, cut, drawn, given_up_after
from app.publishers.pictures import moving
from pylib.files import durable
from pylib.observability.printable import printable
from pylib.runtime.bounded_calls import BoundedCalls
from pylib.runtime.threads import ManagedThread
from pylib.settings.credentials import Secret
from pylib.settings.error_texts import did_you_mean

if TYPE_CHECKING:
    from apprise.plugins import NotifyBase

Level = Literal["", "min", "low", "normal", "high", "max"]
_LEVELS = ("min", "low", "normal", "high", "max")

_FIVE = ("low", "moderate", "normal", "high", "emergency")
PRIORITIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ntfy": ("priority", ("min", "low", "default", "high", "max")),
    "pover": ("priority", _FIVE),
    "prowl": ("priority", _FIVE),
    "join": ("priority", _FIVE),
    "growl": ("priority", _FIVE),
    "gotify": ("priority", _FIVE),
    "opsgenie": ("priority", _FIVE),
    "psafer": ("priority", ("-2", "-1", "0", "1", "2")),
    "fcm": ("priority", _LEVELS),
    "simplepush": ("priority", ("1", "2", "3", "4", "5")),
    "bark": ("level", ("passive", "passive", "active", "timeSensitive", "critical")),
    "pushward": ("level", ("passive", "passive", "active", "time-sensitive", "critical")),
    "nctalk": ("silent", ("yes", "yes", "no", "no", "no")),
}
"""A service's scheme -> its parameter, and what it calls each of our levels."""

_STATUS = re.compile(r"error=(\d{3})(?:\d\d)?\b|Socket Exception: \((\d{3}),|: \((\d{3}), b")
"""As Apprise writes the status of an HTTP answer, ntfy's own code, or an SMTP server's."""

_MOST_HEARD = 50
_TOKEN = 4
"""Characters from which on a part of an address may be a secret."""


class AppriseSettings(NoticeSettings):
    """A message to one target."""

    url: Secret = Field(description="The target, as Apprise writes it: `ntfy://my-topic`, `tgram://TOKEN/CHAT`.")
    picture: Literal["thumbnail", "annotated", "animation", "link", "none"] = Field(
        default="thumbnail",
        description="The picture in a message; `annotated` is large and shows what was found, `animation` is a GIF"
        " where an event has several pictures, and else the thumbnail.",
    )
    priority: Level = Field(default="", description="Priority, for services that know one; the service's unless set.")
    sound: str = Field(default="", max_length=100, description="Sound, for services that know one, by its name there.")


class Apprise:
    """One target, told by one object of Apprise's."""

    title = "messages (Apprise)"
    notifies = True
    Settings = AppriseSettings

    def __init__(self, settings: AppriseSettings, context: PublisherContext) -> None:
        """Load Apprise and read the address; sends nothing. Raises `PublishError`."""
        self.name = context.name
        self.threads: Sequence[ManagedThread] = ()
        self.abandon_after = given_up_after(settings.give_up_after)
        self._settings = settings
        self._writer = Writer(settings, context)
        self._folder = context.data_dir / MESSAGES / context.name
        self._context = context
        self._secrets = _parts(settings.url.get_secret_value())
        self._service = self._made(settings)
        # Without this, one that hangs for ever would be asked again and again, each time by another thread.
        self._calls = BoundedCalls(f"message {context.name}", seconds=settings.timeout, hanging=1)

    def publish(self, inspection: Inspection) -> None:
        """Send one message. Raises `PublishUnavailable` or `PublishRejected`, within two `timeout`s."""
        self._send(self._writer.write(inspection))

    def publish_digest(self, inspections: Sequence[Inspection]) -> None:
        """The same for many events."""
        self._send(self._writer.digest(inspections))

    def _send(self, notice: Notice) -> None:
        heard: list[Line] = []
        try:
            sent = self._calls.call(lambda: self._notify(notice, heard))
        except TimeoutError:
            detail = f"{self._target} did not answer within {self._settings.timeout:g} s."
            raise PublishUnavailable("target_silent", detail) from None
        except Exception as error:  # noqa: BLE001 - Apprise's services are many, and raise what they like
            detail = f"{self._target} failed: {self._scrubbed(str(error))}."
            raise PublishUnavailable("message_failed", detail, outage=False) from None
        if not sent:
            raise self._failure(heard)

    def _notify(self, notice: Notice, heard: list[Line]) -> bool:
        picture = self._settings.picture
        with _listening(heard), self._file(notice.about) as file:
            wanted = picture == "link" or not (file or picture == "none")
            link = self._context.picture_url(notice.about.id) if wanted and notice.about.snapshot.path else ""
            text = f"{notice.text}\n{link}" if link else notice.text
            attached = [str(file)] if file else None
            with self._apprise.notify(text, notice.title, attach=attached, body_format="text") as result:
                return bool(result)

    @contextmanager
    def _file(self, inspection: Inspection) -> Iterator[Path | None]:
        """The picture as a file in a private folder, for as long as it is sent."""
        picture = self._settings.picture
        wanted = picture in ("thumbnail", "annotated", "animation") and self._service.attachment_support
        gif = moving(inspection, self._context) if wanted and picture == "animation" else b""
        data = gif or (drawn(inspection, picture) if wanted else b"")
        if not data:
            yield None
            return
        durable.make_folder(self._folder, mode=0o700)
        file = (
            self._folder / f"{inspection.id}.{'gif' if gif else 'jpg'}"
        )  # a test message may be on its way at the same time
        durable.write_private(file, data)
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    def _failure(self, heard: Sequence[Line]) -> PublishError:
        """Why it was not sent, as far as Apprise's log says it."""
        said = self._reason(heard)
        status = next((found for line in reversed(heard) if (found := _STATUS.search(line.text))), None)
        if status is not None:
            return _refusal(self._target, int(status[status.lastindex or 0]), mail=status[1] is None, said=said)
        if any("onnection error" in line.text or line.text.startswith("Socket Exception") for line in heard):
            return PublishUnavailable("target_away", f"{self._target} could not be reached{said}.")
        return PublishUnavailable("message_failed", f"{self._target} did not take the message{said}.", outage=False)

    def _reason(self, heard: Sequence[Line]) -> str:
        """The last that Apprise complained of, to stand behind a sentence."""
        complaint = next((line.text for line in reversed(heard) if line.level >= logging.WARNING), "")
        return f": {self._scrubbed(complaint.rstrip('.'))}" if complaint else ""

    def _made(self, settings: AppriseSettings) -> NotifyBase:
        try:
            import apprise
        except ImportError:
            sentence = "Messages need Apprise: install snapshot-processor[messages]."
            raise PublishError("not_installed", sentence) from None
        _overhear()
        asset = apprise.AppriseAsset(
            app_id="snapshot-processor",
            app_desc="snapshot-processor",
            image_url_mask="",  # no logo from elsewhere
            image_path_mask=False,
            image_url_logo="",
            http_redirects=False,
            storage_mode="memory",
            async_mode=False,
            service_timeout=0,  # ours is the one that counts: Apprise's takes a thread of a pool that all share
        )
        address = settings.url.get_secret_value().strip()
        kind = _kind(address)
        self._target = str(kind.service_name)
        whole = _with(address, _options(kind, settings))
        heard: list[Line] = []
        try:
            with _listening(heard):
                made = apprise.Apprise.instantiate(whole, asset=asset, suppress_exceptions=False)
        except Exception as error:  # noqa: BLE001 - services raise what they like
            heard.append(Line(logging.ERROR, str(error)))
            made = None
        if made is None:
            raise PublishError("bad_address", f"The address for {self._target} cannot be used{self._reason(heard)}.")
        made.request_rate_per_sec = 0  # pauses are the journal's
        if "overflow=" not in address:
            made.overflow_mode = apprise.OverflowMode.TRUNCATE
        self._apprise = apprise.Apprise(made, asset=asset)
        return made

    def _scrubbed(self, line: str) -> str:
        """One line of Apprise's without anything that is part of the address."""
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return cut(printable(" ".join(line.split())), 300)


def _kind(address: str) -> Any:
    """The class of a service, by the scheme of an address. Raises `PublishError`."""
    known = _services()
    scheme, colon, _ = address.partition("://")
    scheme = scheme.strip().lower()
    if not colon:
        sentence = "`url` is no address of Apprise's: it begins like ntfy://, tgram://, pover:// or mailtos://."
        raise PublishError("bad_address", sentence)
    if scheme not in known:
        near = did_you_mean(scheme, known.schemas())
        # What stands there may be a token that was put in the wrong place.
        shown = f"{scheme[:20]}://" if re.fullmatch(r"[a-z][a-z0-9]*", scheme) else "this"
        raise PublishError("bad_address", f"Apprise knows no service {shown}{near or '.'}")
    return known[scheme]


def _services() -> Any:
    """Apprise's own table, scheme -> class; the same object every time."""
    from apprise.manager_plugins import NotificationManager

    return NotificationManager()  # type: ignore[no-untyped-call]


def _options(kind: Any, settings: AppriseSettings) -> dict[str, str]:
    """Priority and sound as the service's own parameters. Raises `PublishError` where it knows none."""
    known = _services()
    options: dict[str, str] = {}
    if settings.priority:
        family = next((scheme for scheme in PRIORITIES if known[scheme] is kind), None)
        if family is None:
            raise PublishError("bad_address", f"{kind.service_name} takes no priority: leave `priority` out.")
        parameter, words = PRIORITIES[family]
        options[parameter] = words[_LEVELS.index(settings.priority)]
    if settings.sound:
        if "sound" not in kind.template_args:
            raise PublishError("bad_address", f"{kind.service_name} takes no sound: leave `sound` out.")
        options["sound"] = settings.sound
    return options


def _with(address: str, options: Mapping[str, str]) -> str:
    if not options:
        return address
    return f"{address}{'&' if '?' in address else '?'}{urlencode(options)}"


def _refusal(target: str, status: int, *, mail: bool, said: str) -> PublishError:
    """What a status means: of HTTP, or in `mail` of SMTP."""
    where = f"{target} answers {status}{said}."
    if status in ((530, 534, 535) if mail else (401, 403)):
        return PublishRejected("login_refused", f"The login or token is refused: {where}")
    if status in ((550, 551, 553) if mail else (404, 410)):
        return PublishRejected("target_gone", f"There is no such recipient: {where}")
    if status < 500 if mail else status < 400 or status in (408, 425, 429) or status >= 500:
        return PublishUnavailable("target_busy", f"The message was not taken now: {where}")
    return PublishRejected("message_refused", f"The message was refused: {where}")


def _parts(address: str) -> list[str]:
    """What an address is made of and may be secret, the longest first."""
    pieces = re.split(r"[/:@?&=,+#]+", address.partition("://")[2])
    found = {piece for one in pieces for piece in (one, unquote(one)) if len(piece) >= _TOKEN}
    return sorted(found, key=len, reverse=True)


class Line(NamedTuple):
    """One of Apprise's log."""

    level: int
    text: str


_heard: ContextVar[list[Line] | None] = ContextVar("heard", default=None)


class _Ear(logging.Handler):
    """Hears what Apprise logs in a thread that listens."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None and len(heard) < _MOST_HEARD:
            heard.append(Line(record.levelno, record.getMessage()[:1000]))


_once = threading.Lock()


def _overhear() -> None:
    """Keep Apprise's log, which has addresses with their tokens in it, out of ours; hear it instead."""
    logger = logging.getLogger("apprise")
    with _once:
        if not any(isinstance(handler, _Ear) for handler in logger.handlers):
            logger.propagate = False
            logger.setLevel(logging.DEBUG)
            logger.addHandler(_Ear())


@contextmanager
def _listening(heard: list[Line]) -> Iterator[None]:
    token = _heard.set(heard)
    try:
        yield
    finally:
        _heard.reset(token)
