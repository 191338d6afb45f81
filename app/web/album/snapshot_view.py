"""The view of one snapshot's page: what was detected by which detector, and the details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app.journal import Medium
from app.journal.entries import Entry
from app.journal.records import DeliveryState
from app.journal.timeline import Step
from app.media.formats import PLAYED
from app.messages import OutletDecision
from app.rules.evaluate import Outlets
from app.web.album import texts
from app.web.album.languages import tr
from app.web.album.page_query import PageQuery
from app.web.album.texts import Explanation
from app.web.album.view import Chip, Moment, Viewer, best
from app.web.site import Site


class Detail(NamedTuple):
    """A line of the details."""

    name: str
    text: str
    url: str = ""
    when: Moment | None = None
    """What the line begins with."""


class FrameView(NamedTuple):
    """One of several pictures of the event."""

    url: str
    thumbnail: str
    width: int
    height: int
    when: Moment
    number: int
    """From 1 on, for people."""


class VideoView(NamedTuple):
    """The video that the camera sent."""

    kind: str
    """`mp4`"""
    played: bool
    """Whether browsers may play it."""
    size: str
    """In words; empty where the file is gone."""


class Telling(NamedTuple):
    """Whether somebody was told."""

    outlet: str
    told: bool
    word: str
    """`told`, `not told`, `waits`, `given up`."""
    reason: str


@dataclass(frozen=True, slots=True)
class DetectionView:
    """The picture's labels: those that count, and the detector's where a user has corrected them."""

    chips: tuple[Chip, ...]
    detected: tuple[Chip, ...]
    corrected: bool
    by: str
    """The detector's name; empty when none looked."""
    note: str
    """Why another detector than the one that was to decide has decided, as a sentence; empty when all went as set."""
    trouble: Explanation | None
    words: str
    """The labels that count, as a user would type them into a form."""


def detection_view(entry: Entry, view: Viewer, query: PageQuery) -> DetectionView:
    """The detection of an entry, for its page."""
    inspection = entry.inspection
    return DetectionView(
        chips=view.chips(best(entry), query),
        detected=view.chips(inspection.detection.labels, query),
        corrected=entry.corrected is not None,
        by=texts.detector(inspection.detector) if inspection.detector else "",
        note=texts.detector_note(inspection.detector_note),
        trouble=texts.explain(entry),
        words=", ".join(entry.labels),
    )


def details(entry: Entry, view: Viewer, archives: Mapping[str, str], steps: Sequence[Step]) -> list[Detail]:
    """The details; `archives` are addresses by name, `steps` those of its way."""
    snapshot = entry.inspection.snapshot
    triggered = view.moment(snapshot.timestamp)
    delay = texts.duration(abs(snapshot.delay_s))
    behind = tr("; the picture {time} later", time=delay)
    ahead = tr("; the picture {time} before", time=delay)
    lines = [
        Detail(tr("Taken"), "", when=view.moment(snapshot.taken_at)),
        Detail(tr("Triggered"), behind if snapshot.delay_s >= 0 else ahead, when=triggered),
        Detail(tr("By"), texts.origin(snapshot.origin)),
        Detail(tr("Camera"), snapshot.camera),
    ]
    if snapshot.width:
        lines.append(
            Detail(
                tr("Size"), f"{snapshot.width} \N{MULTIPLICATION SIGN} {snapshot.height}, {texts.size(snapshot.size)}"
            )
        )
    if entry.inspection.best:
        lines.append(Detail(tr("Why this one"), tr(entry.inspection.best)))
    if entry.inspection.detector:
        lines.append(Detail(tr("Looked at by"), texts.detector(entry.inspection.detector)))
    if entry.inspection.cost_usd:
        lines.append(Detail(tr("Looking cost"), texts.usd(entry.inspection.cost_usd)))
    lines += [
        Detail(tr("Kept in"), texts.archive(name).removeprefix("the "), archives.get(name, ""))
        for name in entry.archived_in
    ]
    if len(steps) > 1:
        lines.append(Detail(tr("Its way"), ", ".join(texts.step(one, archives) for one in steps)))
    return [*lines, Detail(tr("Event"), entry.id)]


def frame_views(frames: Sequence[Medium], view: Viewer, site: Site) -> list[FrameView]:
    """The frames of a burst, for its page."""
    urls = [site.path(f"/api/snapshots/{one.snapshot}/frames/{one.position}") for one in frames]
    return [
        FrameView(url, f"{url}?thumbnail=true", one.width, one.height, view.moment(one.taken_at), one.position + 1)
        for one, url in zip(frames, urls, strict=True)
    ]


def video_view(entry: Entry) -> VideoView:
    """The video of an entry, for its page."""
    video = entry.inspection.snapshot.video
    path, size = Path(video), ""
    if video:
        with suppress(OSError):  # gone
            size = texts.size(path.stat().st_size)
    suffix = path.suffix
    return VideoView(suffix.removeprefix("."), suffix in PLAYED, size)


def tellings(entry: Entry, outlets: Outlets, states: Mapping[str, DeliveryState]) -> list[Telling]:
    """Those that tell people, each with whether it was told and why; without those that were not there yet."""
    decided = {one.outlet: one for one in entry.inspection.decisions if one.by_rule}
    names = [name for name in outlets.names if name in outlets.notifying]
    return [
        _telling(decided.get(name) or OutletDecision(name, tell=True, reason=tr("there was no rule")), states.get(name))
        for name in dict.fromkeys((*names, *decided))
        if name in decided or name in states
    ]


def _telling(decision: OutletDecision, state: DeliveryState | None) -> Telling:
    if not decision.tell:
        return Telling(decision.outlet, told=False, word=tr("not told"), reason=texts.reason(decision.reason))
    word = _WORDS.get(state.state, "told") if state else "told"
    problem = f"; {state.problem}" if state and state.problem and word != "told" else ""
    return Telling(decision.outlet, told=word == "told", word=tr(word), reason=texts.reason(decision.reason) + problem)


_WORDS = {"owed": "waits", "given_up": "given up"}
