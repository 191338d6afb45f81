"""The cache: pictures are whole or absent, and lie where a person would look."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.cache import Cache, CacheUnavailable, slug

LATE = datetime(2026, 7, 1, 23, 30, 15, tzinfo=UTC)


def test_a_picture_lies_in_the_local_days_folder_of_its_camera(tmp_path: Path) -> None:
    cache = Cache(tmp_path, zone=ZoneInfo("Europe/Berlin"))
    path = cache.store(b"picture", event_id="abc", camera="Front Door Camera", taken_at=LATE, format="JPEG")
    assert path == tmp_path / "2026/07/02/front-door-camera/013015-abc.jpg"
    assert path.read_bytes() == b"picture"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]


def test_what_a_crash_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    cache = Cache(tmp_path, zone=UTC)
    whole = cache.store(b"picture", event_id="abc", camera="Yard", taken_at=LATE, format="PNG")
    half = whole.with_name("233016-def.jpg.part")
    half.write_bytes(b"pict")
    cache.open()
    assert whole.exists()
    assert not half.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "2026").write_text("in the way")
    cache = Cache(tmp_path, zone=UTC)
    with pytest.raises(CacheUnavailable, match="cannot write"):
        cache.store(b"picture", event_id="abc", camera="Yard", taken_at=LATE, format="JPEG")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Front Door Camera", "front-door-camera"),
        ("../../etc/passwd", "etc-passwd"),
        ("Küche", "küche"),
        ("玄関", "玄関"),
        ("...", "camera"),
    ],
)
def test_names_become_folders_that_cannot_leave_the_cache(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_file_is_adopted_without_being_written_again(tmp_path: Path) -> None:
    file = tmp_path / "inbox.jpg"
    file.write_bytes(b"picture")
    cache = Cache(tmp_path / "cache", zone=UTC)
    place = {
        "event_id": "e1",
        "camera": "Yard Camera",
        "taken_at": datetime(2026, 3, 4, tzinfo=UTC),
        "format": "JPEG",
    }
    path = cache.adopt(file, **place)  # type: ignore[arg-type]
    assert path == cache.adopt(file, **place)  # type: ignore[arg-type]  # an attempt that was not recorded
    assert path.stat().st_ino == file.stat().st_ino
    file.unlink()
    assert path.read_bytes() == b"picture"


def test_a_file_that_cannot_have_two_names_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    file = tmp_path / "inbox.jpg"
    file.write_bytes(b"picture")
    cache = Cache(tmp_path / "cache", zone=UTC)
    path = cache.adopt(
        file, event_id="e1", camera="Yard Camera", taken_at=datetime(2026, 3, 4, tzinfo=UTC), format="JPEG"
    )
    assert path.read_bytes() == file.read_bytes() == b"picture"
    assert path.stat().st_ino != file.stat().st_ino
