"""What is typed into the search: its words, and the day that one of them names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from app.web.album.languages import tr

AGO = ("today", "yesterday")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def words_and_day(text: str, today: date) -> tuple[str, date | None]:
    """The text without its first word for a day, and that day: `front door yesterday`, `fox 2026-11-21`, `sunday`.

    A weekday is the last one of that name, which may be today.
    """
    words = text.split()
    for number, word in enumerate(words):
        day = _day(word.strip(".,;:").casefold(), today)
        if day is not None:
            return " ".join(words[:number] + words[number + 1 :]), day
    return text, None


def _day(word: str, today: date) -> date | None:
    if (ago := _place(word, AGO)) is not None:
        return today - timedelta(days=ago)
    if (weekday := _place(word, WEEKDAYS)) is not None:
        return today - timedelta(days=(today.weekday() - weekday) % 7)
    try:
        return date.fromisoformat(word) if len(word) == len("2026-11-21") else None
    except ValueError:
        return None


def _place(word: str, names: Sequence[str]) -> int | None:
    """Which of these names it is, in English or in the language that is spoken."""
    return next((n for n, name in enumerate(names) if word in (name, tr(name.capitalize()).casefold())), None)
