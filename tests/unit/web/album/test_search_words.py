"""Days among the words of a search."""

from __future__ import annotations

from datetime import date

import pytest

from app.web.album.search_words import words_and_day

TODAY = date(2026, 11, 30)
"""A Monday."""


@pytest.mark.parametrize(
    ("typed", "words", "day"),
    [
        ("front door yesterday", "front door", date(2026, 11, 29)),
        ("Today, fox", "fox", TODAY),
        ("fox 2026-11-21 garden", "fox garden", date(2026, 11, 21)),
        ("sunday", "", date(2026, 11, 29)),
        ("Monday", "", TODAY),
        ("tuesday wednesday", "wednesday", date(2026, 11, 24)),
        ("2026-02-30", "2026-02-30", None),
        ("20261121", "20261121", None),
        ("sundays  parcel", "sundays  parcel", None),
    ],
)
def test_a_word_for_a_day_is_that_day_and_the_rest_are_words(typed: str, words: str, day: date | None) -> None:
    assert words_and_day(typed, TODAY) == (words, day)
