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
