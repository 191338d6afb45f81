"""Names of cameras and files: in paths and addresses, and found again in whatever spelling somebody uses."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from typing import Generic, TypeVar

from pylib.errors import Permanent
from pylib.text import normalised

MAX_NAME = 1_000
"""Characters of a name that are looked at; the rest is cut off."""

_BETWEEN = re.compile(r"[\s!-/:-@\[-`{-~]+")
"""What people leave out or exchange: blanks and the signs of ASCII that are neither letter nor digit."""
_TWO_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "þ": "th", "ð": "dh"}
)
"""What stands for a letter on a keyboard without it (ß is ss in small letters of any kind)."""
_ONE_LETTER = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
"""The letters whose sign is no accent that could be taken off."""

T = TypeVar("T", bound=Hashable)


def slug(name: str) -> str:
    """A name as a folder or address may carry it: `Front Door Camera` -> `front-door-camera`."""
    return re.sub(r"[^\w]+", "-", _small(name)).strip("-") or "camera"


def _in_addresses(name: str) -> str:
    """Its slug, whichever way blanks were replaced: other programs call it `front_door`."""
    return slug(name).replace("_", "-")


class UnknownCamera(Permanent):
    """No configured camera is called so."""


def camera_called(name: str, cameras: Collection[str]) -> str:
    """The device key of a name: as it is, or in its address form, with or without the type. Raises `UnknownCamera`."""
    for key in cameras:
        if name == key or _in_addresses(name) in (_in_addresses(key), _in_addresses(key.rpartition(" ")[0])):
            return key
    known = ", ".join(cameras) or "none"
    raise UnknownCamera("unknown_camera", f"no camera {name[:60]!r}; there are: {known}")


def composed(name: str) -> str:
    """The name with each letter and its accents as one character, as most systems write it."""
    return normalised(name[:MAX_NAME], "NFC")


def text_of(sent: bytes) -> str:
    """What old software meant that knows no UTF-8: each byte is a character of western Europe then."""
    try:
        return sent.decode()
    except UnicodeDecodeError:
        return sent.decode("cp1252", "replace")


def spellings(name: str) -> tuple[str, ...]:
    """The keys that a name is found by, the closest first: `Haustür` -> `haustür`, `haustuer`, `haustur`."""
    close = _BETWEEN.sub("", _small(name))
    bare = "".join(sign for sign in normalised(close, "NFKD") if not unicodedata.combining(sign))
    keys = close, close.translate(_TWO_LETTERS), bare.translate(_ONE_LETTER)
    return tuple(key for key in dict.fromkeys(keys) if key)


class Names(Generic[T]):
    """Finds what is called so, in any spelling that can mean nothing else. Thread-safe once made."""

    def __init__(self, named: Iterable[tuple[str, T]]) -> None:
        self._exact: defaultdict[str, set[T]] = defaultdict(set)
        self._any: defaultdict[str, set[T]] = defaultdict(set)
        for name, thing in named:
            for key in spellings(name):
                self._any[key].add(thing)
            for key in spellings(name)[:1]:
                self._exact[key].add(thing)

    def find(self, name: str) -> T | None:
        """The one thing that this may mean; None when there is none, or more than one."""
        keys = spellings(name)
        meant = self._exact.get(keys[0], set()) if keys else set()
        if not meant:
            meant = {thing for key in keys for thing in self._any.get(key, ())}
        return next(iter(meant)) if len(meant) == 1 else None


def _small(name: str) -> str:
    return normalised(name[:MAX_NAME], "NFKC").casefold()
