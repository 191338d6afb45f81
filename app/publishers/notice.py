"""What a message to people says of an event, or of many: title, text and picture, and what every kind of it shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from pydantic import Field

from app.media.annotate import annotate
from app.media.picture import BadPicture
from app.media.thumbnail import preview, thumbnail
from app.messages import PERSON, Inspection, Label
from app.publishers import Link, PublisherContext, PublishError, PublishUnavailable
from app.publishers.templates import CODES as TEMPLATE_CODES
from app.publishers.templates import Template
from app.publishers.texts import WORDS, Language, digest, listed, seen
from pylib.files import durable
from pylib.observability.printable import printable
from pylib.settings.fields import Section

log = structlog.get_logger(__name__)

TITLE_LENGTH = 200
"""Characters of a title."""
TEXT_LENGTH = 1000
"""Characters of a text; what a service takes less of, Apprise cuts."""
NAME_LENGTH = 100
"""Characters of an object's name."""
SIDE = 1600
"""Pixels a side of an annotated picture: enough for a phone, and far below what services take (Pushover: 5 MB)."""
LABELS = 6
"""In a text: the surest ones. A detector may name dozens."""
CAMERAS_LISTED = 10
"""Of a digest; the others are only counted."""

_JOINERS = "\u200c\u200d"
"""Of letters in some scripts, and of emoji: no control characters."""
DAY_S = 86_400.0

CODES = {
    **TEMPLATE_CODES,
    "bad_address": ("The address of the target is none that can be used.", "correct `url`; the message says why"),
    "not_installed": ("The package for this kind of message is not installed.", "install it as the message says"),
    "target_away": ("The target could not be reached.", "look at the network; nothing, if it passes"),
    "target_silent": ("The target did not answer in time.", "nothing, if it passes: the service tries again"),
    "target_busy": ("The target has a failure of its own, or takes no more.", "nothing, if it passes"),
    "login_refused": ("The target refuses the login or token. The message was given up.", "correct it in `url`"),
    "target_gone": ("The target knows no such topic, chat, device or address. The message was given up.", "correct it"),
    "message_refused": ("The target will not take this message. It was given up.", "look at the reason in the log"),
    "thumbnail_away": (
        "The thumbnail that the message leads to cannot be stored now.",
        "look at the outlet of thumbnails; nothing, if it passes",
    ),
    "message_failed": ("The message was not delivered, and the target did not say why.", "look at the log"),
}
"""Code -> what happened, and what to do about it."""

TRANSIENT = ("target_away", "target_silent", "target_busy", "thumbnail_away", "message_failed")
"""Codes of what is tried again, until `give_up_after`."""

SAMPLE: Mapping[str, object] = {
    "sentence": "Person at Front Door",
    "what": "Person",
    "place": "Front Door",
    "camera": "Front Door Camera",
    "time": "22:14",
    "date": "2026-03-04",
    "persons": 1,
    "labels": [{"name": "Person", "confidence": 0.97, "count": 1}],
    "problem": "",
    "delay_s": 0.4,
    "rule": "door",
    "event_id": "0" * 32,
    "event_url": "",
    "picture_url": "",
    "thumbnail_url": "",
    "animation_url": "",
    "stored_thumbnail": "",
    "stored_thumbnail_until": "",
    "opens": "opens until",
    "bucket": "",
    "object_key": "",
    "object_name": "",
    "snooze_url": "",
    "snooze": "Snooze",
}
"""All names that a template may use."""

TEXT = """{{ time }}{% for label in labels %}, {{ label.name }} {{ "%.0f %%" % (label.confidence * 100) }}{% endfor %}
{%- if problem %}, {{ problem }}{% endif %}
{%- if object_name %}, {{ object_name }}{% endif %}"""

LINKS = """{% if stored_thumbnail %}\n{{ stored_thumbnail }} ({{ opens }}){% endif %}
{%- if event_url %}\n{{ event_url }}{% endif %}
{%- if snooze_url %}\n{{ snooze }}: {{ snooze_url }}{% endif %}"""


class NoticeSettings(Section):
    """How messages read."""

    language: Language = Field(default="en", description="Language of the messages.")
    title_template: str = Field(
        default="", max_length=2000, description="Template of the title; the language's unless set."
    )
    text_template: str = Field(
        default="", max_length=10_000, description="Template of the text; the built-in one unless set."
    )
    thumbnail: str = Field(
        default="",
        max_length=50,
        description="Name of an outlet of kind thumbnails: messages wait until it has stored theirs, and lead to it.",
    )
    timeout: float = Field(default=20, ge=1, le=120, description="Seconds that one message may take.")
    give_up_after: float = Field(
        default=DAY_S,
        ge=60,
        le=31_536_000,
        description="Seconds after which a message that could not be delivered is given up.",
    )


@dataclass(frozen=True, slots=True)
class Notice:
    """One message."""

    title: str
    text: str
    about: Inspection
    """The event, or of many the one whose picture goes with it."""
    thumbnail: Link | None = None
    """To its stored thumbnail."""


class Writer:
    """Writes the messages of one outlet."""

    def __init__(self, settings: NoticeSettings, context: PublisherContext, *, links: bool = True) -> None:
        """Try the templates on an example. Raises `PublishError` (`bad_template`).

        `links`: whether the built-in text ends with links; else they go beside it.
        """
        self._links = links
        self._thumbnail = settings.thumbnail
        self._words = WORDS[settings.language]
        self._context = context
        where = f"publishers.{context.name}"
        self._built_in = Template("{{ sentence }}", where), Template(TEXT + (LINKS if links else ""), where)
        title, text = self._built_in
        self._title = Template(settings.title_template, f"{where}.title_template") if settings.title_template else title
        self._text = Template(settings.text_template, f"{where}.text_template") if settings.text_template else text
        self._failed = False
        for template in (self._title, self._text):
            template.render(SAMPLE)

    def write(self, inspection: Inspection) -> Notice:
        """The message for one event. Where a template fails on it, or says nothing, the built-in text says it.

        Raises `PublishUnavailable` where its thumbnail cannot be stored now.
        """
        link = self._stored(inspection)
        values = self.values(inspection, link)
        try:
            title = self._title.render(values) or self._built_in[0].render(values)
            text = self._text.render(values) or self._built_in[1].render(values)
        except PublishError as error:
            if not self._failed:
                log.error("template failed, the built-in text is sent", target=self._context.name, reason=error.detail)
            self._failed = True
            title, text = (template.render(values) for template in self._built_in)
        return Notice(cut(_one_line(title), TITLE_LENGTH), _cut_text(text, link), inspection, link)

    def digest(self, inspections: Sequence[Inspection]) -> Notice:
        """One message for many events; a line for each camera. Raises as `write` does."""
        if len(inspections) == 1:
            return self.write(inspections[0])
        cameras: dict[str, list[Inspection]] = {}
        for inspection in inspections:
            cameras.setdefault(inspection.camera, []).append(inspection)
        times = sorted(inspection.snapshot.taken_at for inspection in inspections)
        places = [self._place(events[0]) for events in cameras.values()]
        title = digest(len(inspections), places, self._clock(times[0]), self._clock(times[-1]), self._words)
        lines = [self._line(place, events) for place, events in zip(places, cameras.values(), strict=True)]
        more = [f"+ {len(lines) - CAMERAS_LISTED}"] if len(lines) > CAMERAS_LISTED else []
        about = max(inspections, key=lambda one: (bool(one.snapshot.path), bool(one.detection.person_count)))
        link = self._stored(about)
        stored = f"{link.url} ({self._opens(link)})" if link and self._links else ""
        event = self._context.event_url(about.id) if self._links else ""
        text = "\n".join([*lines[:CAMERAS_LISTED], *more, *filter(None, (stored, event))])
        return Notice(cut(title, TITLE_LENGTH), _cut_text(text, link), about, link)

    def values(self, inspection: Inspection, link: Link | None = None) -> dict[str, Any]:
        """What templates may use; the names are those of `SAMPLE`. `link`: to its stored thumbnail."""
        context, snapshot, detection = self._context, inspection.snapshot, inspection.detection
        things, place = self._things(inspection), self._place(inspection)
        no_picture = not snapshot.path and bool(snapshot.problem)
        return {
            "sentence": self._words.no_picture.format(place=place) if no_picture else seen(things, place, self._words),
            "what": listed(things, self._words),
            "place": place,
            "camera": snapshot.camera,
            "time": self._clock(snapshot.taken_at),
            "date": snapshot.taken_at.astimezone(context.zone).date().isoformat(),
            "persons": detection.person_count,
            "labels": [
                {"name": self._name(label), "confidence": label.confidence, "count": _count(label, inspection)}
                for label in sorted(detection.labels, key=lambda label: -label.confidence)[:LABELS]
            ],
            "problem": inspection.problem.partition(": ")[2] or inspection.problem,
            "delay_s": snapshot.delay_s,
            "rule": next((one.rule for one in inspection.decisions if one.outlet == context.name), ""),
            "event_id": inspection.id,
            "event_url": context.event_url(inspection.id),
            "picture_url": context.picture_url(inspection.id) if snapshot.path else "",
            "thumbnail_url": context.thumbnail_url(inspection.id) if snapshot.path else "",
            "animation_url": context.animation_url(inspection.id) if snapshot.path and snapshot.frames > 1 else "",
            "stored_thumbnail": link.url if link else "",
            "stored_thumbnail_until": self._date(link) if link else "",
            "opens": self._opens(link) if link else "",
            "bucket": snapshot.bucket,
            "object_key": printable(snapshot.object_key, keep=_JOINERS),
            "object_name": cut(_one_line(snapshot.object_key.rpartition("/")[2]), NAME_LENGTH),
            "snooze_url": context.snooze_url(inspection.camera),
            "snooze": self._words.snooze,
        }

    def _stored(self, inspection: Inspection) -> Link | None:
        """A link to its thumbnail in a bucket, which is there by then. Raises `PublishUnavailable`."""
        if not self._thumbnail:
            return None
        try:
            return self._context.stored_thumbnail(self._thumbnail, inspection)
        except PublishUnavailable as error:
            sentence = f"Its thumbnail is not stored by {self._thumbnail}: {error.detail}"
            raise PublishUnavailable("thumbnail_away", sentence, outage=False) from None

    def _opens(self, link: Link) -> str:
        return self._words.opens.format(until=self._date(link))

    def _date(self, link: Link) -> str:
        return f"{link.until.astimezone(self._context.zone):%Y-%m-%d %H:%M}"

    def _line(self, place: str, inspections: Sequence[Inspection]) -> str:
        most = Counter[str]()
        for inspection in inspections:
            for name, count in self._things(inspection):
                most[name] = max(most[name], count)
        what = listed(list(most.items()), self._words)
        return f"{place}: {len(inspections)}" + (f", {what}" if what else "")

    def _things(self, inspection: Inspection) -> list[tuple[str, int]]:
        """What was seen of what a sentence can name, and how many of each, persons first."""
        counts = {label.name: _count(label, inspection) for label in inspection.detection.labels}
        if inspection.detection.person_count:
            counts[PERSON] = inspection.detection.person_count
        known = [(name, count) for name, count in counts.items() if name in self._words.things]
        return sorted(known, key=lambda thing: thing[0] != PERSON)

    def _name(self, label: Label) -> str:
        return listed([(label.name, 1)], self._words)

    def _place(self, inspection: Inspection) -> str:
        return inspection.snapshot.label or inspection.camera

    def _clock(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._context.zone):%H:%M}"


def drawn(inspection: Inspection, picture: str) -> bytes:
    """The picture of an event as a JPEG for a message: its `thumbnail`, or `annotated`; empty where there is none."""
    path = inspection.snapshot.path
    if not path:
        return b""
    try:
        data = durable.read(path)
        return annotate(preview(data, side=SIDE), inspection.detection) if picture == "annotated" else thumbnail(data)
    except (OSError, BadPicture) as error:
        log.warning("message goes without its picture", event_id=inspection.id, reason=str(error))
        return b""


def cut(text: str, most: int) -> str:
    """At most so many characters, the last of them an ellipsis where some are left out."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _one_line(text: str) -> str:
    """Without line breaks and control characters: whoever writes to a bucket chooses what its objects are called."""
    return printable(" ".join(text.split()), keep=_JOINERS)


def _cut_text(text: str, link: Link | None) -> str:
    """A link that opens something is long, and half of it opens nothing."""
    return cut(text, TEXT_LENGTH + (len(link.url) if link else 0))


def given_up_after(seconds: float, *codes: str) -> dict[str, float]:
    """A publisher's `abandon_after`: the shared codes of what is tried again, and these."""
    return dict.fromkeys((*TRANSIENT, *codes), seconds)


def _count(label: Label, inspection: Inspection) -> int:
    persons = inspection.detection.person_count if label.name == PERSON else 0
    return max(1, persons or len(label.boxes))
