"""Who asks: a person, a program, or this machine, with a right and the cameras that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from starlette.requests import HTTPConnection

AuthMethod = Literal["open", "session", "token", "password", "link", "proxy"]
"""The methods by which a request is authenticated."""


class Right(IntEnum):
    """What somebody may do; each may do what those before it may."""

    NOTHING = 0
    VIEWER = 1
    """Look."""
    OPERATOR = 2
    """Also take pictures, star, note, review, snooze, switch the mode."""
    ADMIN = 3
    """Everything."""

    @property
    def word(self) -> str:
        """As in files, commands and the API: `viewer`."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Right:
        """The right of this word. Raises ValueError."""
        found = {right.word: right for right in cls if right}.get(word)
        if found is None:
            raise ValueError(f"{word!r} is no right: there are viewer, operator and admin")
        return found


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    right: Right = Right.NOTHING
    name: str = ""
    """Of the user or token; empty for the one password, and on this machine."""
    method: AuthMethod | None = None
    """None for somebody who is not known."""
    cameras: frozenset[str] = frozenset()
    """Device keys of those that it may see or trigger; all when empty."""
    narrow: bool = False
    """Whether a path decides what it opens, and no right: a signed link, a token for triggers or for the booth."""

    @property
    def is_known(self) -> bool:
        """Whether anybody was found out."""
        return self.method is not None

    @property
    def is_limited(self) -> bool:
        """Whether there is anything that it may not do."""
        return self.right < Right.ADMIN or bool(self.cameras)

    def may(self, right: Right) -> bool:
        """Whether it has at least this right."""
        return self.right >= right

    def sees(self, camera: str) -> bool:
        """Whether this camera, a device key, is among its cameras."""
        return not self.cameras or camera in self.cameras


NOBODY = Caller()


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks, as the guard found out."""
    found: Caller = connection.scope.get("state", {}).get("caller", NOBODY)
    return found
