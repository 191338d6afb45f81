"""Text from outside in a form in which it can be compared."""

from __future__ import annotations

import unicodedata
from typing import Literal

LONGEST = 1000
"""Characters that are put in order."""


def normalised(text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> str:
    """The text in a Unicode normal form; a longer one than `LONGEST` stays as it is.

    160 kB of accents in the wrong order would hold the interpreter, and so all threads, for seconds.
    """
    return text if len(text) > LONGEST else unicodedata.normalize(form, text)


def one_line(text: str, *, longest: int) -> str:
    """The text as one line of at most `longest` characters, cut at a word where there is one, with a mark then.

    Blanks stand for line ends, control characters, and signs that change the direction of writing.
    """
    signs = (sign if sign.isprintable() else " " for sign in text[: 8 * longest])
    line = " ".join("".join(signs).split())
    if len(line) <= longest:
        return line
    at_word = line[:longest].rpartition(" ")[0]
    return (at_word if len(at_word) > longest // 2 else line[: longest - 1]) + "…"
