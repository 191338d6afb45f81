"""The status page's texts: how each part did, what to do about it, how much room there is."""

from __future__ import annotations

from collections.abc import Sequence

from app.journal import HourCount
from app.web.album.languages import counted, number, tr
from app.web.album.texts import sentence, size
from pylib.observability.health import State

VERDICTS: dict[State, str] = {
    "working": "All systems working",
    "untried": "Nothing has failed",
    "degraded": "Working, with a hitch",
    "failing": "Needs attention",
}
STATES: dict[State, str] = {
    "working": "ok",
    "untried": "not tried yet",
    "degraded": "a hitch",
    "failing": "attention",
}
CHECKS = {
    "disk": "Disk",
    "rules": "Rules",
    "broker": "Message broker",
    "undelivered": "Events to publish",
}
NAMED = 5
"""Names in a sentence; the rest is a number."""
Named = tuple[str, str]
"""Subject and title of a part; of a check nothing and its name."""

_WORKED = {
    "camera": "Last picture {when}.",
    "detector": "Last looked {when}.",
    "upload": "Last upload {when}.",
    "trigger": "Last {when}.",
}
_UNTRIED = {
    "camera": "It was never asked for a picture.",
    "detector": "It has looked at no picture yet.",
    "upload": "Nothing was uploaded yet.",
    "trigger": "It has triggered nothing yet.",
}


def check(name: str) -> str:
    """What people call a check of health."""
    return capital(tr(CHECKS.get(name, name)))


def part(subject: str, title: str) -> str:
    """What people call a part."""
    return tr("Detector: {title}", title=title) if subject == "detector" else capital(tr(title))


def capital(title: str) -> str:
    """With a capital letter."""
    return title[:1].upper() + title[1:]


def verdict(ill: Sequence[Named], degraded: Sequence[Named], untried: Sequence[Named], state: State) -> str:
    """What stands under the headline: names before all."""
    if state == "working":
        return tr("Each part was seen to work.")
    said = [f"{names(ill)}."] if ill else []
    if degraded:
        said.append(tr("Last try failed, or something waits for you: {names}.", names=names(degraded)))
    if untried:
        said.append(tr("Not tried yet: {names}.", names=names(untried)))
    return " ".join(said)


def names(all_of_them: Sequence[Named]) -> str:
    """`Shed, Yard and 3 more`."""
    more = len(all_of_them) - NAMED
    said = (part(subject, title) if subject else check(title) for subject, title in all_of_them[:NAMED])
    return ", ".join(said) + (tr(" and {more} more", more=number(more)) if more > 0 else "")


def outcome(subject: str, *, failures: int, reason: str, tried: str, succeeded: str, since: str) -> str:
    """How a part did last; times in words, empty for never."""
    if not tried:
        return tr(_UNTRIED.get(subject, "Nothing was sent there yet."))
    if not failures:
        return tr(_WORKED.get(subject, "Last sent {when}."), when=succeeded)
    last = tr("Worked last {when}.", when=succeeded) if succeeded else tr("Never seen to work.")
    if failures == 1:
        failed = tr("Failed {when}.", when=tried)
    else:
        failed = tr("{number} failures in a row since {since}.", number=number(failures), since=since)
    return f"{failed} {sentence(tr(reason))} {last}"


def only_older(taken: str) -> str:
    """Of a camera whose pictures were taken in: how it does is not known, and it has some."""
    return tr("No new picture yet. The last one is from {taken}.", taken=taken)


def last_day(hours: Sequence[HourCount]) -> str:
    """A bar of 24 hours, for those who do not see it."""
    worked, failed = sum(hour.worked for hour in hours), sum(hour.failed for hour in hours)
    if not worked and not failed:
        return tr("Last 24 hours: nothing")
    return tr("Last 24 hours: {worked} worked, {failed} failed", worked=number(worked), failed=number(failed))


def room(days_left: float | None) -> str:
    """For how long there is room."""
    if days_left is None:
        return tr("No new pictures in the last week.")
    if days_left >= 3650:
        return tr("Room for more than ten years at the present pace.")
    if days_left >= 730:
        return tr("Room for about {years} years at the present pace.", years=f"{days_left / 365:.0f}")
    days = counted(int(days_left), "day", "days")
    return tr("Room for about {days} at the present pace; then the oldest make way.", days=days)


def amount(count: int) -> str:
    """`312 kB`, `4.2 MB`, `79.8 GB`."""
    return size(count) or "0 kB"
