"""A rule as the fields of a form, and back; and in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

from app.rules.burst import BurstSettings
from app.rules.model import Rule
from app.web.album import texts
from app.web.album.languages import tr
from app.web.api import validation
from app.web.errors import BadRequest, WrongField

Fields = Mapping[str, Sequence[str]]
"""Each field of the form with all its values."""

DAY_NAMES = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}
MODE_NAMES = {"home": "Home", "away": "Away", "night": "Night"}

_LISTS = ("cameras", "zones", "days", "modes", "outlets")


def fields_of(rule: Rule) -> dict[str, list[str]]:
    """The form that makes this rule."""
    begin, _, end = rule.hours.partition("-")
    return {
        "name": [rule.name],
        **{name: list(getattr(rule, name)) for name in _LISTS},
        "label": list(rule.labels),
        "least": [_number(least * 100) if least else "" for least in rule.labels.values()],
        "min_size": [_number(rule.min_size * 100)] if rule.min_size else [],
        "begin": [begin.strip()],
        "end": [end.strip()],
        "cooldown": [_number(rule.cooldown / 60)] if rule.cooldown else [],
        "urgent": ["1"] if rule.urgent else [],
    }


def rule_of(fields: Fields, *, burst: BurstSettings | None = None) -> Rule:
    """The rule that a form makes. Raises `BadRequest`, which names the field.

    `burst`: for which the form has no fields.
    """
    values = {
        "name": one(fields, "name"),
        **{name: tuple(value for value in fields.get(name, ()) if value.strip()) for name in _LISTS},
        "labels": _labels(fields),
        "min_size": _share(one(fields, "min_size"), "size"),
        "hours": hours(fields),
        "cooldown": minutes(fields, "cooldown"),
        "urgent": bool(one(fields, "urgent")),
        "burst": burst,
    }
    return validation.checked(Rule, values, "bad_field")


def one(fields: Fields, name: str) -> str:
    """The field's last value, without blanks around it; empty where it has none."""
    return next((value.strip() for value in reversed(fields.get(name, ()))), "")


def hours(fields: Fields) -> str:
    """`22:00-06:30` of a beginning and an end; empty without both."""
    begin, end = one(fields, "begin"), one(fields, "end")
    return f"{begin}-{end}" if begin or end else ""


def number(fields: Fields, name: str) -> float:
    """0 where it is empty. Raises `BadRequest`."""
    return _float(one(fields, name), name)


def minutes(fields: Fields, name: str) -> float:
    """Seconds of a number of minutes. Raises `BadRequest`."""
    return round(60 * number(fields, name), 3)


def sentence(rule: Rule, labels: Mapping[str, str]) -> str:
    """`phone is told of Person (at least 60 %) at Front Door; Mon, Tue; at most every 5 min`.

    `labels`: what people call cameras, by their names in rules.
    """
    who = _listed(rule.outlets, tr("and")) or tr("Everyone")
    things = _listed((_thing(name, least) for name, least in rule.labels.items()), tr("or")) or tr("every event")
    are_told = tr("{who} are told of {things}", who=who, things=things)
    told = are_told if len(rule.outlets) > 1 else tr("{who} is told of {things}", who=who, things=things)
    if rule.zones:
        told += tr(" in zone {zones}", zones=_listed(rule.zones, tr("or")))
    if rule.cameras:
        told += tr(" at {cameras}", cameras=_listed((labels.get(name, name) for name in rule.cameras), tr("or")))
    when = ", ".join(tr(DAY_NAMES[day]) for day in DAY_NAMES if day in rule.days)
    parts = (
        told,
        tr("at least {percent} % of the picture", percent=_number(rule.min_size * 100)) if rule.min_size else "",
        ", ".join(part for part in (when, rule.hours.replace("-", "\N{EN DASH}")) if part),
        tr("in mode {modes}", modes=_listed((tr(mode) for mode in rule.modes), tr("or"))) if rule.modes else "",
        tr("at most every {time} for each camera", time=texts.duration(rule.cooldown)) if rule.cooldown else "",
        tr("in quiet hours too") if rule.urgent else "",
        tr("takes {number} pictures", number=rule.burst.frames) if rule.burst else "",
    )
    return "; ".join(part for part in parts if part) + "."


def _thing(name: str, least: float) -> str:
    return tr("{name} (at least {percent} %)", name=name, percent=_number(least * 100)) if least else name


def _listed(words: Iterable[str], last: str) -> str:
    *first, end = [*words] or [""]
    return f"{', '.join(first)} {last} {end}" if first else end


def _labels(fields: Fields) -> dict[str, float]:
    rows = zip_longest(fields.get("label", ()), fields.get("least", ()), fillvalue="")
    return {name.strip(): _share(least.strip(), f"{name.strip()}, at least") for name, least in rows if name.strip()}


def _share(percent: str, name: str) -> float:
    return round(_float(percent, name) / 100, 6)


def _float(text: str, name: str) -> float:
    try:
        return float(text.replace(",", ".") or 0)
    except ValueError:
        raise BadRequest.of_fields("bad_field", [WrongField(name, f"{text[:20]!r} is no number")]) from None


def _number(value: float) -> str:
    return f"{round(value, 6):.12g}"
