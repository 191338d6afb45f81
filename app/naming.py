"""Names of cameras and files: in paths and addresses, and found again in whatever spelling somebody uses."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Hashable, Iterable, Mapping
from functools import cached_property
from typing import Generic, TypeVar

from pylib.errors import Permanent
from pylib.text import normalised

MAX_NAME = 1_000
"""Characters of a name that are looked at; the rest is cut off."""

SHOWN = 100
"""Characters of an unknown name that an error quotes."""
NAMED = 10
"""How many known cameras an error names."""

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


class UnknownCamera(Permanent):
    """No configured camera is called so, or more than one may be."""


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
    if close.isascii():  # as nearly all are: no letter of it has another spelling
        return (close,) if close else ()
    bare = "".join(sign for sign in normalised(close, "NFKD") if not unicodedata.combining(sign))
    keys = close, close.translate(_TWO_LETTERS), bare.translate(_ONE_LETTER)
    return tuple(key for key in dict.fromkeys(keys) if key)


class Names(Generic[T]):
    """Finds what is called so, in any spelling that can mean nothing else. Thread-safe once made."""

    def __init__(self, named: Iterable[tuple[str, T]]) -> None:
        self._exact: dict[str, tuple[T, ...]] = {}
        self._further: dict[str, tuple[T, ...]] = {}
        for name, thing in named:
            for index, key in enumerate(spellings(name)):
                _add(self._further if index else self._exact, key, thing)

    def find(self, name: str) -> T | None:
        """The one thing that this may mean; None when there is none, or more than one."""
        meant = self.meant(name)
        return next(iter(meant)) if len(meant) == 1 else None

    def meant(self, name: str) -> set[T]:
        """All that this may mean."""
        keys = spellings(name)
        exact = self._exact.get(keys[0], ()) if keys else ()
        both = self._exact, self._further
        return set(exact or (thing for key in keys for table in both for thing in table.get(key, ())))


class CameraNames:
    """Finds the camera that a message, an address or a setting names. Thread-safe."""

    def __init__(self, cameras: Collection[str]) -> None:
        """`cameras`: device keys."""
        self._cameras = cameras if isinstance(cameras, Mapping) else frozenset(cameras)

    def find(self, name: str) -> str:
        """The device key: itself, in any spelling or in its address form, with or without the type.

        Raises `UnknownCamera` (`unknown_camera`), with what may have been meant.
        """
        if name in self._cameras:
            return name
        for names in self._spellings:
            for spelled in (name, slug(name)):
                meant = sorted(names.meant(spelled))
                if len(meant) == 1:
                    return meant[0]
                if meant:
                    raise UnknownCamera("unknown_camera", f"no camera {name[:SHOWN]!r}; it may be {' or '.join(meant)}")
        raise UnknownCamera("unknown_camera", self._unknown(name[:SHOWN]))

    @cached_property
    def _spellings(self) -> tuple[Names[str], Names[str]]:
        """By the whole key, and without its type; made for the first name that is not exactly a key."""
        called = Names((name, key) for key in self._cameras for name in (key, slug(key)))
        return called, Names((name, key) for key in self._cameras for name in _without_type(key))

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._cameras, n=1)
        if close:
            return f"no camera {name!r}; did you mean {close[0]!r}?"
        known = sorted(self._cameras)
        more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
        return f"no camera {name!r}; there are: {', '.join(known[:NAMED]) or 'none'}{more}"


def _add(table: dict[str, tuple[T, ...]], key: str, thing: T) -> None:
    """A tuple takes a quarter of a set's memory, and nearly every key means one thing."""
    known = table.get(key, ())
    if thing not in known:
        table[key] = (*known, thing)


def _without_type(key: str) -> tuple[str, ...]:
    name = key.rpartition(" ")[0]
    return (name, slug(name)) if name else ()


def _small(name: str) -> str:
    return normalised(name[:MAX_NAME], "NFKC").casefold()
