"""Text is put in order up to a length."""

from __future__ import annotations

import unicodedata

from pylib.text import LONGEST, normalised

ACCENTS = "\u0315\u0300"


def test_text_of_a_usual_length_is_put_in_order() -> None:
    decomposed = unicodedata.normalize("NFD", "Küche")
    assert normalised(decomposed, "NFC") == "Küche"
    assert normalised(ACCENTS * (LONGEST // 2), "NFC").startswith("\u0300\u0300")


def test_a_longer_one_stays_as_it_is() -> None:
    assert normalised(ACCENTS * LONGEST, "NFC") == ACCENTS * LONGEST
