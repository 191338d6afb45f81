"""An album in this process, of a home that tells people: with outlets, a rule, a zone, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.messages import Box, Detection, Label
from app.rules.replay import replay
from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.browser.drawing import scene
from tests.fakes.web import OUTLETS, close, parts_for, serving, taken

PASSWORD = "open sesame"

RULES = """\
rules:
- name: door
  cameras: [Front Door]
  labels: {Person: 0.6}
  outlets: [phone]
  cooldown: 3600
zones:
- camera: Front Door
  name: tree  # by hand
  points: [[0.7, 0.05], [0.95, 0.05], [0.95, 0.45]]
  mask: true
"""

CAR = Box(0.05, 0.62, 0.2, 0.25)
EVENTS = 6
STEP = timedelta(minutes=15, seconds=7)


@dataclass(frozen=True, slots=True)
class TellingHouse:
    """The album as its visitors see it, and what stands behind it."""

    url: str
    context: WebContext
    ids: tuple[str, ...]
    """Of the events, oldest first, with `STEP` between them."""

    tested: list[str]
    """Outlets that were asked for a test."""

    def write_rules(self) -> None:
        """The rules as they were at the beginning."""
        self.context.rules.path.write_text(RULES)
        self.context.telling.set_mode("home")


@contextmanager
def telling_house(folder: Path) -> Iterator[TellingHouse]:
    """Such an album, which asks for a password; its events are decided by its rules."""
    tested: list[str] = []
    test_messages = {"phone": lambda: tested.append("phone")}
    context = parts_for(folder, settings=WebSettings(password=Secret(PASSWORD)), test_messages=test_messages)
    context.rules.path.write_text(RULES)
    first = datetime.now(UTC) - timedelta(hours=2)
    kept = []
    for number in range(EVENTS):
        place = scene("Front Door", first + number * STEP)
        picture, box = place.shows("person", place.moment(first + number * STEP, "person"))
        assert box is not None
        person = Label("Person", (0.9, 0.5)[number % 2], (box,))
        detection = Detection((person, Label("Car", 0.8, (CAR,))), 1)
        kept.append(
            taken(
                context,
                folder,
                f"{number:032x}",
                taken_at=first + number * STEP,
                detection=detection,
                picture=picture,
                width=1280,
                height=720,
            )
        )
    for inspection, decisions in replay(kept, context.rules.book, OUTLETS, zone=UTC):
        context.journal.record(inspection.snapshot)
        context.journal.inspect(replace(inspection, decisions=decisions))
    with serving(application(context)) as client:
        yield TellingHouse(client.url, context, tuple(one.id for one in kept), tested)
    close(context)
