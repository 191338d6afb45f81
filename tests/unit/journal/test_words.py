"""Words are told apart as the full-text search tells them apart, or a live page would show what a search does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.journal.entries import words
from app.journal.schema import SCHEMA

ALPHABET = "aAzéÉüÜñÇğİıßẞøŁſςΣσΟλάЙйёÅﬁ½²9한国かـ" + "\u0301\u0308\u030a" + " -_.,:'\"*/\t\n😀"  # noqa: RUF001
"""Letters of several alphabets, signs that change letters, and what stands between words."""

Terms = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def terms() -> Iterator[Terms]:
    """What SQLite finds in a text, by the tokenizer of the journal."""
    tokenizer = "tokenize = 'unicode61 remove_diacritics 2'"
    assert any(tokenizer in script for script in SCHEMA)
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, {tokenizer})")
    db.execute("CREATE VIRTUAL TABLE found USING fts5vocab (words, 'instance')")

    def terms(text: str) -> list[str]:
        db.execute("DELETE FROM words")
        db.execute("INSERT INTO words VALUES (?)", (text,))
        return [row[0] for row in db.execute("SELECT term FROM found ORDER BY offset")]

    yield terms
    db.close()


@given(text=st.text(ALPHABET, max_size=20))
def test_words_are_those_of_the_full_text_search(terms: Terms, text: str) -> None:
    assert words(text) == terms(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Front-Door_Camera", ["front", "door", "camera"]),
        ("Küche, Café", ["kuche", "cafe"]),
        ("CAFE\u0301", ["cafe"]),
        ("  ...  ", []),
        ("", []),
    ],
)
def test_neither_case_nor_accents_nor_what_stands_between_matters(text: str, found: list[str]) -> None:
    assert words(text) == found
