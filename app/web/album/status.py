"""The status page: archives and health, in words for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from app.journal import ArchiveStats, Job, Journal
from app.monitoring.sentences import NOT_USED
from app.storage.space import Space
from app.web.album import texts
from app.web.album.languages import counted, number, tr
from app.web.album.parts import MOST_CAMERAS, Part, Sees
from app.web.album.status_texts import STATES, amount, capital
from app.web.album.status_texts import check as check_title
from app.web.album.view import Viewer
from app.web.context import ArchiveInfo, CameraInfo
from pylib.net.login_throttle import Ban
from pylib.observability.health import Check, State

FRESH_S = 10.0
"""Seconds for which an archive's statistics are cached: a query reads all that the archive ever took."""

_SERVERS = {"web": "album", "ftp": "FTP", "mail": "mail"}


class StatusItem(NamedTuple):
    """One thing that is monitored."""

    title: str
    state: State
    word: str
    text: str


class ArchiveRow(NamedTuple):
    """One archive's state."""

    title: str
    url: str
    part: Part | None
    """How it did last; None where nobody has said."""
    text: str
    lines: tuple[str, ...]
    retry: str
    """The name under which it can be retried; empty when there is nothing to retry."""


class BanRow(NamedTuple):
    """One ban after wrong logins."""

    title: str
    text: str
    address: str


class JobRow(NamedTuple):
    """One job that is not done."""

    id: int
    title: str
    failed: bool
    text: str


@dataclass(slots=True)
class _CachedStats:
    archive_stats: ArchiveStats
    until: float


class ArchiveStatsCache:
    """The archives' statistics, queried now and then only. Thread-safe."""

    def __init__(
        self, journal: Journal, archives: Sequence[ArchiveInfo], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal = journal
        self._archives = archives
        self._clock = clock
        self._known: dict[str, _CachedStats] = {}

    def rows(self, view: Viewer, parts: Mapping[str, Part]) -> list[ArchiveRow]:
        """A row for each archive, with how it did last, by name."""
        return [_row(one, self._standing(one.name), view, parts.get(one.name)) for one in self._archives]

    def _standing(self, name: str) -> ArchiveStats:
        known = self._known.get(name)
        if known is None or known.until < self._clock():
            known = self._known[name] = _CachedStats(self._journal.archive_stats(name), self._clock() + FRESH_S)
        return known.archive_stats


def lights(checks: Sequence[Check], shown: Collection[str]) -> tuple[list[StatusItem], list[StatusItem]]:
    """The checks that no part of the page speaks of, and the threads."""
    people = [check for check in checks if not check.live and check.name not in shown]
    threads = [
        StatusItem(check.name, check.state, tr(STATES[check.state]), tr(check.detail)) for check in checks if check.live
    ]
    return [_light(check) for check in people], threads


def space_rows(space: Space, cameras: Mapping[str, CameraInfo], sees: Sees) -> list[StatusItem]:
    """What the pictures of each camera take, the largest first."""
    rows = []
    for one in [one for one in space.cameras if sees(one.camera)][:MOST_CAMERAS]:
        camera = cameras.get(one.camera)
        text = f"{amount(one.size)}, {counted(one.pictures, 'picture', 'pictures')}"
        rows.append(StatusItem(camera.label if camera else one.camera, "working", "", text))
    return rows


def ban_row(server: str, ban: Ban, view: Viewer) -> BanRow:
    """A ban in words for people."""
    who = (
        tr("The login “{login}”", login=ban.login) if ban.login else tr("All logins but those that worked there lately")
    )
    until = view.moment(ban.until)
    title = f"{ban.address}, {tr(_SERVERS.get(server, server))}"
    ends = f"{texts.within(until.day_text)}, {until.short}"
    return BanRow(title, tr("{who}, until {when}", who=who, when=ends), ban.address)


def job_row(job: Job, title: str, view: Viewer) -> JobRow:
    """A job in words for people; `title` says what it is about."""
    failed = job.state == "failed"
    words = []
    if job.progress:
        words.append(tr("{percent}% done", percent=round(job.progress * 100)))
    if not failed and job.next_at > time.time() + 1:
        words.append(tr("tried again at {time}", time=view.moment(datetime.fromtimestamp(job.next_at, UTC)).short))
    if job.problem:
        words.append(job.problem)
    return JobRow(job.seq, title, failed, "; ".join(words) or tr("waits for its turn"))


def cost_rows(costs: Mapping[str, Any], cameras: Mapping[str, CameraInfo], sees: Sees) -> list[StatusItem]:
    """What looking has cost this month: each paid detector, all together, and each camera; none where nothing costs."""
    rows = []
    for one in costs["detectors"]:
        most = one["monthly_calls"]
        text = tr("{number} of {total}", number=_calls(one), total=number(most)) if most else _calls(one)
        state: State = "working" if not most or one["calls"] < most else "degraded"
        rows.append(
            StatusItem(texts.detector(one["detector"]), state, "" if state == "working" else tr("used up"), text)
        )
    for one in [one for one in costs["cameras"] if sees(one["device_key"])]:
        camera = cameras.get(one["device_key"])
        rows.append(StatusItem(camera.label if camera else one["device_key"], "working", "", _calls(one)))
    return rows


def _calls(cost: Mapping[str, Any]) -> str:
    return f"{texts.usd(cost['cost_usd'])}, {counted(cost['calls'], 'call', 'calls')}"


def _light(check: Check) -> StatusItem:
    if check.detail == NOT_USED:
        return StatusItem(check_title(check.name), "untried", tr(NOT_USED), "")
    return StatusItem(check_title(check.name), check.state, tr(STATES[check.state]), capital(tr(check.detail)))


def _row(archive: ArchiveInfo, archive_stats: ArchiveStats, view: Viewer, part: Part | None) -> ArchiveRow:
    lines = []
    if archive_stats.pending:
        since = view.moment(datetime.fromtimestamp(archive_stats.since, UTC)) if archive_stats.since else None
        waiting = counted(archive_stats.pending, "picture waits to be archived", "pictures wait to be archived")
        if since:
            oldest = f"{texts.within(since.day_text)}, {since.short}"
            waiting = tr("{waiting}, the oldest since {oldest}", waiting=waiting, oldest=oldest)
        lines.append(waiting)
    if archive_stats.given_up:
        lines.append(counted(archive_stats.given_up, "picture was given up", "pictures were given up"))
    if archive_stats.without:
        lines.append(
            counted(archive_stats.without, "picture from before it was set up", "pictures from before it was set up")
        )
    if archive_stats.problem:
        lines.append(tr("Last problem: {problem}", problem=archive_stats.problem))
    title = texts.archive(archive.name)
    return ArchiveRow(
        title=title[0].upper() + title[1:],
        url=archive.url(),
        part=part,
        text=counted(archive_stats.done, "picture kept", "pictures kept"),
        lines=tuple(lines),
        retry=archive.name if archive_stats.pending or archive_stats.given_up or archive_stats.without else "",
    )
