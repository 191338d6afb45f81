"""The challenges in WWW-Authenticate headers (RFC 9110, section 11.6.1), read in linear time whatever a peer sends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST = 8_192
"""Characters of a header that are read; a challenge has some hundred."""

_WORD = r"[\w!#$%&'*+.^`|~-]+"
_QUOTED = r'"(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)"?'
# No piece can begin inside another, and none is gone back over: what fits nothing is passed over sign by sign.
_PIECE = re.compile(
    rf"(?P<comma>,)|(?P<name>{_WORD})\s*=\s*(?:{_QUOTED}|(?P<bare>[^\s,\"]*))|(?P<word>{_WORD})"
    r'|"[^"\\]*(?:\\.[^"\\]*)*"?',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in that a peer offers."""

    scheme: str
    """In lower case: `basic`, `digest`."""
    parameters: Mapping[str, str]
    """By name in lower case; a quoted value without its quotes, and with whatever was escaped in it."""


def challenges_in(headers: Iterable[str]) -> list[Challenge]:
    """All challenges, in order: several may stand in one header, between commas like their parameters.

    Only a word at the header's beginning or behind a comma names a scheme, so that no quoted text offers one.
    """
    return [challenge for header in headers for challenge in _in_one(header)]


def _in_one(header: str) -> list[Challenge]:
    found: list[tuple[str, dict[str, str]]] = []
    begins = True
    for piece in _PIECE.finditer(header[:LONGEST]):
        if piece["word"] and begins:
            found.append((piece["word"].lower(), {}))
        elif piece["name"] and found:
            found[-1][1][piece["name"].lower()] = piece["quoted"] or piece["bare"] or ""
        begins = piece["comma"] is not None
    return [Challenge(scheme, parameters) for scheme, parameters in found]
