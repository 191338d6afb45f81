"""A camera as its pages show it: its last good picture, how it does, and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from app.journal.entries import Entry, Filter
from app.monitoring.outcomes import Outcome
from app.naming import slug
from app.web.album import texts
from app.web.album.languages import tr
from app.web.album.page_query import PageQuery
from app.web.album.view import Card, Viewer
from app.web.context import CameraInfo, WebContext
from pylib.runtime.circuit_breaker import State

Lamp = Literal["closed", "half_open", "open", "idle"]
"""Green, amber, red or grey."""


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera, configured or one that was."""

    key: str
    label: str
    name: str
    """As addresses have it."""
    url: str
    is_configured: bool
    card: Card | None
    """Its last picture that is there, or else its last try; None where nothing ever came."""
    lamp: Lamp
    state: str
    """`Working`, `Offline since 11:26: login refused`."""
    detail: str = ""
    """Why, and what to do about it, as sentences; empty while it works."""
    is_offline: bool = False
    """Whether what is shown is not how it looks there now."""


class CameraViews:
    """Makes them. Thread-safe."""

    def __init__(self, context: WebContext, view: Viewer) -> None:
        self._context = context
        self._view = view
        self._anything = PageQuery({}, Filter(), context.zone, context.site.path("/"))

    def of(self, key: str, newest: Entry | None = None) -> CameraView:
        """This camera now; `newest`: its newest entry, where that is known."""
        if newest is None:
            newest = next(iter(self._context.index.page(Filter(camera=key), limit=1)), None)
        face = self._context.cameras.get(key)
        outcome = self._context.outcomes.of("camera", key)
        failing = outcome is not None and outcome.failures > 0
        card = self._card(key, newest)
        return CameraView(
            key=key,
            label=face.label if face else newest.inspection.snapshot.label if newest else key,
            name=slug(key),
            url=self._view.camera_url(key),
            is_configured=face is not None,
            card=card,
            lamp=_lamp(face, outcome),
            state=self._state(face, outcome, has_picture=_has_picture(card)),
            detail=self._detail(face, outcome) if face and outcome and failing else "",
            is_offline=face is not None and failing,
        )

    def _card(self, key: str, newest: Entry | None) -> Card | None:
        if newest is not None and newest.inspection.snapshot.problem:
            good = self._context.index.page(Filter(camera=key, problem=False), limit=1)
            newest = good[0] if good else newest
        return self._view.card(newest, self._anything) if newest else None

    def _state(self, face: CameraInfo | None, outcome: Outcome | None, *, has_picture: bool) -> str:
        if face is None:
            return tr(texts.FORMER)
        if outcome is not None and outcome.failures and outcome.failing_since is not None:
            since = self._view.moment(datetime.fromtimestamp(outcome.failing_since, UTC))
            return texts.offline(since.short, since.day_text, outcome.problem.partition(":")[0])
        if (outcome is None or outcome.state == "untried") and face.circuit() is State.CLOSED:
            return tr(texts.ONLY_OLDER if has_picture else texts.UNTRIED)
        return texts.circuit(face.circuit(), face.retry_in())

    def _detail(self, face: CameraInfo, outcome: Outcome) -> str:
        said = [texts.sentence(tr(outcome.reason)), texts.sentence(tr(outcome.remedy))]
        if face.circuit() is State.OPEN:
            said.append(texts.paused(face.retry_in()))
        return " ".join(filter(None, said))


def _has_picture(card: Card | None) -> bool:
    return card is not None and not (card.trouble and card.trouble.alarming)


def _lamp(face: CameraInfo | None, outcome: Outcome | None) -> Lamp:
    if face is None:
        return "idle"
    if outcome is not None and outcome.failures:
        return "open"
    if outcome is None or outcome.state == "untried":
        return "idle" if face.circuit() is State.CLOSED else "open"
    return "closed" if face.circuit() is State.CLOSED else "half_open"
