"""The litter of other systems is told from uploads by its name."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from app.uploads.ignored import LITTER, IgnoredNames


@pytest.mark.parametrize(
    "path",
    [
        "gate/@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg",
        "#recycle/gate/a.jpg",
        "gate/.DS_Store",
        "gate/._a.jpg",
        "gate/Thumbs.db",
        "gate/THUMBS.DB",
        "gate/desktop.ini",
        "gate/.@__thumb/defaulta.jpg",
        ".Trash-1000/files/a.jpg",
        "lost+found/#12.jpg",
        "System Volume Information/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "gate/.nfs00000001",
        "gate/~syncthing~a.jpg.tmp",
    ],
)
def test_litter_is_known_as_such(path: str) -> None:
    assert IgnoredNames(LITTER).holds(PurePosixPath(path))


@pytest.mark.parametrize("path", ["gate/a.jpg", "gate/thumbs.jpg", "eaDir/a.jpg", "recycle/.a.jpg", "gate/a._b.jpg"])
def test_pictures_are_not(path: str) -> None:
    assert not IgnoredNames(LITTER).holds(PurePosixPath(path))


def test_the_list_is_the_users() -> None:
    ignored = IgnoredNames(["cache?", "*.bak"])
    names = ["cache1", "CACHE2", "cache", "a.bak", "a.bak.jpg", "@eaDir"]
    assert [name in ignored for name in names] == [True, True, False, True, False, False]
    assert "@eaDir" not in IgnoredNames(())
