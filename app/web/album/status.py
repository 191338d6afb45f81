"""The status page: archives and health, in words for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from app.journal import ArchiveStats, Job, Journal
from app.web.album import texts
from app.web.album.view import Viewer
from app.web.context import ArchiveInfo
from pylib.net.login_throttle import Ban
from pylib.observability.health import Check
from pylib.runtime.circuit_breaker import State

FRESH_S = 10.0
"""Seconds for which an archive's statistics are cached: a query reads all that the archive ever took."""

ARCHIVED = "archived to "
"""Prefix of the archives' checks, which have a row of their own."""

_TITLES = {
    "disk": "Disk",
    "rules": "Rules",
    "broker": "Message broker",
    "undelivered": "Events to publish",
}


_SERVERS = {"web": "album", "ftp": "FTP", "mail": "mail"}


class StatusItem(NamedTuple):
    """One thing that is monitored."""

    title: str
    ok: bool
    text: str


class ArchiveRow(NamedTuple):
    """One archive's state."""

    title: str
    url: str
    ok: bool
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

    def rows(self, view: Viewer, checks: Sequence[Check]) -> list[ArchiveRow]:
        """A row for each archive, with the results of its checks."""
        ill = {check.name.removeprefix(ARCHIVED) for check in checks if not check.ok}
        return [
            _row(archive, self._standing(archive.name), view, is_ill=archive.name in ill) for archive in self._archives
        ]

    def _standing(self, name: str) -> ArchiveStats:
        known = self._known.get(name)
        if known is None or known.until < self._clock():
            known = self._known[name] = _CachedStats(self._journal.archive_stats(name), self._clock() + FRESH_S)
        return known.archive_stats


def overview(
    checks: Sequence[Check], archives: Iterable[ArchiveRow], cameras: Iterable[Mapping[str, str]]
) -> dict[str, Any]:
    """The checks as the page shows them: those for people, threads, and all that need attention."""
    lights = [_light(check) for check in checks if not check.live and not check.name.startswith(ARCHIVED)]
    threads = [StatusItem(check.name, check.ok, check.detail) for check in checks if check.live]
    ill = [light.title for light in (*lights, *threads) if not light.ok]
    ill += [archive.title for archive in archives if not archive.ok]
    ill += [camera["label"] for camera in cameras if camera["circuit"] != State.CLOSED]
    return {"lights": lights, "threads": threads, "ill": ill}


def ban_row(server: str, ban: Ban, view: Viewer) -> BanRow:
    """A ban in words for people."""
    who = f"the login “{ban.login}”" if ban.login else "all logins but those that worked there lately"
    until = view.moment(ban.until)
    title = f"{ban.address}, {_SERVERS.get(server, server)}"
    return BanRow(title, f"{who[0].upper()}{who[1:]}, until {until.day_text.lower()}, {until.short}", ban.address)


def job_row(job: Job, title: str, view: Viewer) -> JobRow:
    """A job in words for people."""
    failed = job.state == "failed"
    words = []
    if job.progress:
        words.append(f"{job.progress:.0%} done")
    if not failed and job.next_at > time.time() + 1:
        words.append(f"tried again at {view.moment(datetime.fromtimestamp(job.next_at, UTC)).short}")
    if job.problem:
        words.append(job.problem)
    return JobRow(job.seq, f"{title} {job.key}", failed, "; ".join(words) or "waits for its turn")


def _light(check: Check) -> StatusItem:
    return StatusItem(_TITLES.get(check.name, check.name.capitalize()), check.ok, check.detail)


def _row(archive: ArchiveInfo, archive_stats: ArchiveStats, view: Viewer, *, is_ill: bool) -> ArchiveRow:
    pictures = texts.counted
    lines = []
    if archive_stats.pending:
        since = view.moment(datetime.fromtimestamp(archive_stats.since, UTC)) if archive_stats.since else None
        waiting = f"{pictures(archive_stats.pending, 'picture waits', 'pictures wait')} to be archived"
        lines.append(f"{waiting}, the oldest since {since.day_text.lower()}, {since.short}" if since else waiting)
    if archive_stats.given_up:
        lines.append(f"{pictures(archive_stats.given_up, 'picture was', 'pictures were')} given up")
    if archive_stats.without:
        lines.append(f"{pictures(archive_stats.without, 'picture', 'pictures')} from before it was set up")
    if archive_stats.problem:
        lines.append(f"Last problem: {archive_stats.problem}")
    title = texts.archive(archive.name)
    return ArchiveRow(
        title=title[0].upper() + title[1:],
        url=archive.url(),
        ok=not is_ill and not archive_stats.problem,
        text=f"{pictures(archive_stats.done, 'picture', 'pictures')} kept",
        lines=tuple(lines),
        retry=archive.name if archive_stats.pending or archive_stats.given_up or archive_stats.without else "",
    )
