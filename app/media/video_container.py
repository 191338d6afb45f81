"""Whether a video goes on to where its container says, for the containers that say it: MP4 and its kin, and AVI."""

from __future__ import annotations

from app.media.container import Read

MOST_BOXES = 4096
"""Boxes or chunks that follow each other; a camera writes about five, or two for each second."""
_KIN = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot")
"""What an MP4 or a QuickTime file may begin with."""
_PLAYED = {b"moov", b"mdat"}
"""The index, and what it is about."""
_WIDE = 1
"""The length of a box whose real one follows its name."""


def ends(head: bytes) -> bool:
    """Whether a file that begins so says where it ends."""
    return head[4:8] in _KIN or _is_avi(head)


def is_whole(read: Read, size: int) -> bool:
    """Whether a file of so many bytes ends where it says, and has what it takes to be played.

    False where it does not say it. An MP4 whose index comes last has none before that has arrived.
    """
    head = read(0, 12)
    if not ends(head):
        return False
    return _chunks_fit(read, size) if _is_avi(head) else _boxes_fit(read, size)


def _is_avi(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


def _chunks_fit(read: Read, size: int) -> bool:
    at = 0
    for _ in range(MOST_BOXES):  # more than one beyond a gigabyte
        head = read(at, 12)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or not length:
            return False
        at += 8 + length + length % 2
        if at >= size:
            return at - length % 2 <= size
    return False


def _boxes_fit(read: Read, size: int) -> bool:
    at, there = 0, set[bytes]()
    for _ in range(MOST_BOXES):
        head = read(at, 16)
        length, begin = int.from_bytes(head[:4], "big"), 8
        if length == _WIDE:
            length, begin = int.from_bytes(head[8:16], "big"), 16
        if length < begin or not head[4:8].isalnum():  # one that goes on to the end says nothing, whatever has arrived
            return False
        there.add(head[4:8])
        at += length
        if at >= size:
            return at == size and there >= _PLAYED
    return False
