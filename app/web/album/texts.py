"""The album's texts: why there is no picture or no detection, a camera's state, sizes and times."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from datetime import date, timedelta
from typing import NamedTuple

from app import archives, detectors, sources, wording
from app.journal.entries import Entry
from app.journal.search_query import MOST_COUNTED
from app.journal.timeline import Step
from app.web.album.languages import counted, number, tr
from pylib.runtime.circuit_breaker import State

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
SHORT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ORIGINS = {
    "http": "a user, in the album or over HTTP",
    "schedule": "the schedule",
    "ftp": "the camera itself, by FTP",
    "mail": "the camera itself, by mail",
    "folder": "a file in the upload folder",
}
"""Of what this process does itself; sources say of themselves what people call them."""

WAYS = {"ftp": "By FTP", "mail": "By mail", "folder": "Put into the upload folder"}
"""How an upload came."""

FIELDS = {
    "before": "The place in the list",
    "begin": "The begin of the hours",
    "confidence": "“How sure”",
    "corrected_labels": "A label",
    "end": "The end of the hours",
    "frames": "The number of pictures",
    "last": "The last day of the map",
    "min_confidence": "“How sure”",
    "min_size": "The size",
    "person": "“People”",
    "problem": "“Problems”",
    "q": "The search",
    "since": "The begin of the time",
    "starred": "“Starred”",
    "taken_at": "The time of the picture",
    "until": "The end of the time",
}
"""What people call the fields and parameters that pages do not call by their own names."""
PLAIN = (
    ("must be less than or equal to", "must be at most"),
    ("must be greater than or equal to", "must be at least"),
    ("must be true or false", "must be yes or no"),
    ("must be a moment such as 2026-11-21T14:00:00Z", "must be a day and a time such as 2026-11-21T14:00"),
)
"""What the API says, and what people say."""


class Explanation(NamedTuple):
    """Why a picture or detection is missing, for people, and in the words of the part that failed."""

    title: str
    sentence: str
    detail: str = ""
    alarming: bool = True
    remedy: str = ""
    """What a person should do about it, as a sentence; empty when nobody knows."""


def missing() -> Explanation:
    """Why the picture of an entry with a file is not there."""
    sentence = tr("Its file was taken away by something else than the album, or its disk is not there.")
    return Explanation(tr("File missing"), sentence)


def explain(entry: Entry) -> Explanation | None:
    """Why an entry has no picture or no detection; None when it has both."""
    inspection, snapshot = entry.inspection, entry.inspection.snapshot
    if snapshot.problem:
        return _explanation(tr("No picture"), "object" if snapshot.object_key else "camera", snapshot.problem)
    if inspection.problem:
        return _explanation(tr("Not looked at"), "detector", inspection.problem)
    if snapshot.video and not inspection.detector:
        return Explanation(tr("Video"), tr("Videos that a camera sends are kept, and not looked at."), alarming=False)
    if not snapshot.path and entry.owner and not entry.archived_in:
        elsewhere = tr("It is on {machine}, and not archived yet.", machine=entry.owner)
        return Explanation(tr("Picture elsewhere"), elsewhere, alarming=False)
    if not snapshot.path:
        return Explanation(tr("Picture no longer here"), _kept(entry.archived_in), alarming=False)
    if not inspection.detector:
        sentence = tr("No detector is configured, so this picture was not looked at.")
        return Explanation(tr("Not looked at"), sentence, alarming=False)
    if not inspection.detection.labels:
        looked = tr("{detector} looked and found nothing.", detector=detector(inspection.detector))
        return Explanation(tr("Nothing seen"), looked, alarming=False)
    return None


def remedy(entry: Entry) -> str:
    """What to do where the camera gave no picture, as a sentence; empty where nobody knows."""
    snapshot = entry.inspection.snapshot
    if not snapshot.problem:
        return ""
    return sentence(tr(wording.explain(snapshot.problem.partition(":")[0], of="camera")[1]))


def detector(kind: str) -> str:
    """What people call a detector."""
    return tr(detectors.KINDS.title(kind))


def detector_note(note: str) -> str:
    """Why another detector has decided: `Amazon Rekognition did not look: ...`."""
    kind, _, reason = note.partition(": ")
    return tr("{detector} did not look: {reason}", detector=detector(kind), reason=reason) if note else ""


def reason(why: str) -> str:
    """Why an outlet was told or not: `door: quiet hours`, the rule first."""
    return "; ".join(_reason(part, about=str) for part in why.split("; "))


def problem(detail: str) -> str:
    """What is wrong with a form or a camera: `hours: must be two times of day`, the field or the code first."""
    return tr(detail) if tr(detail) != detail else "; ".join(_reason(part, about=_name) for part in detail.split("; "))


def _name(word: str) -> str:
    said = tr(word.replace("_", " "))
    return word if said == word.replace("_", " ") else said


def _reason(why: str, *, about: Callable[[str], str]) -> str:
    if (known := tr(why)) != why:
        return known
    what, colon, rest = why.partition(": ")
    if colon:
        return f"{about(what)}: {_reason(rest, about=about)}"
    labels = why.removeprefix("no ")
    return why if labels == why else tr("no {labels}", labels=labels.replace(" or ", tr(" or ")))


def usd(amount: float) -> str:
    """US dollars, with as many digits as a single call needs."""
    if amount >= 1:
        return f"{number(amount, 2)} USD"
    text = f"{amount:.4g}"
    return f"{number(amount, len(text.partition('.')[2]))} USD"


def origin(name: str) -> str:
    """What people call the place that a trigger or an upload came from."""
    return tr(ORIGINS.get(name) or sources.KINDS.title(name))


def whence(origin: str, sender: str) -> str:
    """Where an upload came from: `FTP, from 192.168.1.20`."""
    way = tr(WAYS.get(origin, ""))
    return tr("{way}, from {sender}", way=way, sender=sender) if way and sender else way or sender


TAKEN_IN_BEFORE = "It is taken in: a video, which is kept, or a picture that the album has already."


def refused_again(code: str, detail: str) -> str:
    """A rejected upload that was rejected again, and why."""
    return tr("It was refused again. {why}", why=sentence(tr(detail)) or tr(wording.explain(code, of="upload")[0]))


def no_camera(name: str) -> str:
    """A form names none, or one that there is not."""
    return tr("There is no camera “{name}”.", name=name[:60]) if name else tr("Name the camera.")


def wrong_fields(fields: Iterable[tuple[str, str]]) -> str:
    """What is wrong with a form's fields, as sentences: `“How sure” must be at most 1.`"""
    return " ".join(_wrong_field(name, reason) for name, reason in fields)


def _wrong_field(name: str, reason: str) -> str:
    for said, plain in PLAIN:
        reason = reason.replace(said, tr(plain))
    known = tr(FIELDS.get(name, f"“{name.replace('_', ' ').capitalize()}”")) if name else tr("It")
    return f"{known} {tr(reason.removeprefix(name).strip())}" + ("" if reason.endswith((".", "!", "?")) else ".")


def circuit(state: State, retry_in: float) -> str:
    """A camera's state, in words."""
    if state is State.OPEN:
        return tr("paused for {time} after failing", time=duration(retry_in))
    return tr("on trial after failing") if state is State.HALF_OPEN else tr("working")


FORMER = "no longer configured"
UNTRIED = "not tried yet"
ONLY_OLDER = "no new picture yet"
"""Untried, of a camera whose pictures were taken in."""


def offline(time: str, day: str, code: str) -> str:
    """`Offline since 11:26: login refused`; `day` unless it was today."""
    since = time if day == tr("Today") else f"{within(day)}, {time}"
    return tr("Offline since {since}: {why}", since=since, why=tr(code.replace("_", " ")))


def paused(retry_in: float) -> str:
    """When a camera that failed is asked again."""
    return tr("It is asked again in {time}, or when you ask it.", time=duration(retry_in))


STEPS = {
    "no_picture": "no picture",
    "looked": "looked at",
    "decided": "decided",
}
"""What people call the steps of an event's way that are not called by their own names."""


def step(one: Step, archives: Container[str]) -> str:
    """A step of an event's way: `told phone +0.7 s`. `archives`: names of the outlets that keep pictures."""
    work = tr(STEPS.get(one.work, one.work))
    if one.outlet and one.work != "delivered":
        work = tr("given up for {outlet}", outlet=archive(one.outlet) if one.outlet in archives else one.outlet)
    elif one.outlet in archives:
        work = tr("archived in {archive}", archive=archive(one.outlet))
    elif one.outlet:
        work = tr("told {outlet}", outlet=one.outlet)
    after = f" {'-' if one.after_s < 0 else '+'}{duration(abs(one.after_s))}"
    return work + ("" if one.work in ("triggered", "received") else after)


def duration(seconds: float) -> str:
    """`0.4 s`, `23 s`, `4 min`, `3 h`, `2 days`."""
    if seconds < 10:
        return f"{number(seconds, 1)} s"
    for unit, length, limit in (("s", 1, 100), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < limit * length:
            return f"{seconds / length:.0f} {unit}"
    return counted(round(seconds / 86_400), "day", "days")


def size(count: int) -> str:
    """`312 kB`, `4.2 MB`, `79.8 GB`; empty for nothing."""
    for unit, length in (("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{number(count / length, 1)} {unit}"
    return f"{max(count, 1000) / 1000:.0f} kB" if count else ""


def day(moment: date, today: date) -> str:
    """`Today`, `Yesterday`, `Saturday, 21 November`, with the year where it is another one."""
    if moment == today:
        return tr("Today")
    if moment == today - timedelta(days=1):
        return tr("Yesterday")
    return date_of(moment) + (f" {moment.year}" if moment.year != today.year else "")


def within(day: str) -> str:
    """A day within a sentence: `today`."""
    return day[:1].lower() + day[1:] if day in (tr("Today"), tr("Yesterday")) else day


def up_to(count: int, most: int) -> str:
    """`1 picture`, `1,204 pictures`, and `10,000+ pictures` for one more than are counted."""
    if count <= most:
        return counted(count, "picture", "pictures")
    return tr("{most}+ pictures", most=number(most))


def date_of(moment: date) -> str:
    """`Saturday, 21 November`."""
    names = {"weekday": tr(WEEKDAYS[moment.weekday()]), "month": tr(MONTHS[moment.month - 1])}
    return tr("{weekday}, {day} {month}", day=moment.day, **names)


def short_date(moment: date) -> str:
    """`21 Nov`."""
    return tr("{day} {month}", day=moment.day, month=tr(SHORT_MONTHS[moment.month - 1]))


def short_weekday(moment: date) -> str:
    """`Sat`."""
    return tr(SHORT_WEEKDAYS[moment.weekday()])


def short_day(moment: date) -> str:
    """`Sat 21 Nov`."""
    return f"{short_weekday(moment)} {short_date(moment)}"


def pictures(count: int) -> str:
    """`1 picture`, `1,204 pictures`."""
    return counted(count, "picture", "pictures")


def standing(place: int, total: int) -> str:
    """`3 of 1,204`, `3 of 10,000+`."""
    return tr("{number} of {total}", number=_up_to(place), total=_up_to(total))


def _up_to(count: int) -> str:
    return f"{number(MOST_COUNTED)}+" if count > MOST_COUNTED else number(count)


def sentence(detail: str) -> str:
    """What went wrong as a sentence; a file's name that it begins with stays as it is."""
    names_file = "." in detail.partition(" ")[0].rstrip(".:")
    first = detail[:1] if names_file else detail[:1].upper()
    return first + detail[1:] + ("" if not detail or detail.endswith((".", "!", "?")) else ".")


def what_to_do(remedy: str) -> str:
    """`What to do: check the password.`; empty where nobody knows."""
    remedy = tr(remedy)
    return tr("What to do: {remedy}", remedy=remedy + ("" if remedy.endswith("?") else ".")) if remedy else ""


def _explanation(title: str, of: wording.Subject, problem: str) -> Explanation:
    code, _, detail = problem.partition(":")
    sentence, remedy = wording.explain(code, of=of)
    return Explanation(title, tr(sentence), tr(detail.strip()) or code, remedy=what_to_do(remedy))


def _kept(archives: tuple[str, ...]) -> str:
    if not archives:
        return tr("It was removed to make room, or by hand.")
    places = tr(" and ").join(map(archive, archives))
    return tr("It was removed here to make room. It is kept in {places}.", places=places)


def archive(name: str) -> str:
    """What people call an archive; one of a list by its own name."""
    return tr(archives.KINDS.title(name))
