"""What the C library keeps of memory that nobody uses any more; elsewhere than on glibc nothing is done."""

from __future__ import annotations

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8
"""Of glibc's malloc.h."""
EVERY_S = 30.0
"""Seconds after which it is worth while to `give_back`."""


def share() -> None:
    """Have two heaps in all. Else there is one for each of up to eight threads a core, and each keeps what it took."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def give_back() -> None:
    """Give free pages inside the heaps back to the system. By itself glibc does so at the end of a heap only, so that
    the pictures of a burst stay for ever. Takes a millisecond or two, without the interpreter's lock."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
