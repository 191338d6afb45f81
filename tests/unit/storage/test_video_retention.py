"""Videos go by the rules that pictures go by, and nothing else that lies among them goes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.journal import VideoClaim
from app.storage.retention import GB
from app.storage.settings import CameraRetention, RetentionSettings
from app.storage.video_retention import VideoRetention
from app.storage.videos import Videos

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLENTY = 500 * GB

Clean = Callable[..., list[int]]


@pytest.fixture
def videos(tmp_path: Path) -> Videos:
    return Videos(tmp_path / "videos", zone=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def clean(videos: Videos) -> Clean:
    """Clean by these settings; gives the numbers of the videos that went."""

    def clean(
        *,
        free: int = PLENTY,
        pictures: int = 0,
        dry_run: bool = False,
        claims: Mapping[str, VideoClaim] | None = None,
        forget: Callable[[Sequence[str]], None] = lambda _: None,
        **settings: object,
    ) -> list[int]:
        retention = VideoRetention(
            RetentionSettings(**settings),  # type: ignore[arg-type]
            videos=videos,
            pictures_size=lambda: pictures,
            claims=lambda ids: {one: claim for one, claim in (claims or {}).items() if one in ids},
            forget=forget,
            clock=NOW.timestamp,
            free=lambda _: free,
        )
        return [int(video.path.stem[-32:], 16) for video in retention.clean(dry_run=dry_run)]

    return clean


def keep(videos: Videos, number: int, *, days: float, camera: str = "Yard Camera") -> Path:
    """A video of ten bytes, so many days old."""
    file = videos.folder.parent / "came.MP4"
    file.write_bytes(b"ten bytes!")
    return videos.keep(file, event_id=UUID(int=number).hex, camera=camera, taken_at=NOW - timedelta(days=days))


def left(videos: Videos) -> list[int]:
    return sorted(int(video.path.stem[-32:], 16) for video in videos.kept())


def test_old_videos_go_and_each_camera_has_its_own_time(videos: Videos, clean: Clean) -> None:
    keep(videos, 1, days=31)
    keep(videos, 2, days=29)
    keep(videos, 3, days=3, camera="Front Gate Camera")
    keep(videos, 4, days=500, camera="Till Camera")
    gate = CameraRetention(camera="Front Gate Camera", days=2, person_days=9)
    till = CameraRetention(camera="Till Camera", days=0, person_days=0)
    assert sorted(clean(cameras=(gate, till))) == [1, 3]
    assert left(videos) == [2, 4]


@pytest.mark.parametrize(
    ("limits", "free"),
    [
        ({"max_gb": 25 / GB}, PLENTY),
        ({"min_free_gb": 1.0}, GB - 15),
        ({"min_free_gb": 0, "hard_free_gb": 1.0}, GB - 15),
    ],
    ids=["size", "free disk", "hard limit"],
)
def test_beyond_a_limit_the_oldest_go(videos: Videos, clean: Clean, limits: dict[str, float], free: int) -> None:
    for number in range(1, 5):
        keep(videos, number, days=10 - number, camera=f"Camera {number % 2}")
    assert clean(free=free, **limits) == [1, 2]
    assert left(videos) == [3, 4]


def test_videos_go_before_pictures_do_and_stay_where_all_of_both_would_not_be_enough(
    videos: Videos, clean: Clean
) -> None:
    for number in (1, 2):
        keep(videos, number, days=number)
    assert clean(free=GB - 100, pictures=79) == []
    assert sorted(clean(free=GB - 100, pictures=80)) == [1, 2]


def test_a_dry_run_only_tells(videos: Videos, clean: Clean) -> None:
    keep(videos, 1, days=31)
    assert clean(dry_run=True) == [1]
    assert left(videos) == [1]


def test_a_video_that_cannot_be_deleted_has_not_gone(
    videos: Videos, clean: Clean, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    keep(videos, 1, days=31)
    with monkeypatch.context() as read_only:
        read_only.setattr(os, "unlink", refuse)
        assert clean() == []
    assert clean() == [1]


def test_what_somebody_put_among_the_videos_stays(videos: Videos, clean: Clean, tmp_path: Path) -> None:
    old = keep(videos, 1, days=31)
    strangers = [
        old.with_name(name) for name in ("holiday.mp4", "20010101-000000-short.mp4", f"99999999-{old.name[9:]}")
    ]
    for stranger in strangers:
        stranger.write_bytes(b"mine")
    link = old.with_name(f"20010101-000000-{UUID(int=7).hex}.mp4")
    link.symlink_to(strangers[0])
    clean()
    assert sorted(old.parent.iterdir()) == sorted([*strangers, link])


def test_one_with_a_star_or_that_waits_for_an_archive_stays_and_one_of_a_deleted_event_goes(
    videos: Videos, clean: Clean
) -> None:
    files = [keep(videos, number, days=31) for number in (1, 2)] + [keep(videos, 3, days=1)]
    claims = {
        UUID(int=1).hex: VideoClaim(stays=True, gone=False),
        UUID(int=2).hex: VideoClaim(stays=False, gone=False),
        UUID(int=3).hex: VideoClaim(stays=True, gone=True),
    }
    forgotten: list[str] = []

    def forget(ids: Sequence[str]) -> None:
        assert all(file.exists() for file in files), "the file went before its record"
        forgotten.extend(ids)

    assert clean(claims=claims, dry_run=True) == [2, 3]
    assert clean(claims=claims, forget=forget, free=0) == [2, 3]
    assert forgotten == [UUID(int=2).hex, UUID(int=3).hex]
    assert left(videos) == [1]


def test_without_videos_there_is_nothing_to_do(clean: Clean) -> None:
    assert clean(free=0) == []
