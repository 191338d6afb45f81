"""How keeping is put together from settings: which archives there are, and what runs for them."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.archives import ArchiveBlocked
from app.bootstrap.adapters import make_archives
from app.bootstrap.archives import ArchiveParts
from app.bootstrap.core import Core
from app.config.settings import Settings, load
from app.journal import Journal
from app.storage.cache import Cache
from app.storage.videos import Videos
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.clock import Clock

S3 = {
    "S3_BUCKET": "home",
    "S3_ENDPOINT_URL": "http://minio:9000",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "S3_PREFIX": "cameras",
}
DRIVE = {"GOOGLE_DRIVE_FOLDER": "Snapshots"}


def settings(tmp_path: Path, **environ: str) -> Settings:
    return load(environ={"DATA_DIR": str(tmp_path / "data"), "TIME_ZONE": "UTC", **environ})


def keeping(tmp_path: Path, journal: Journal, **environ: str) -> ArchiveParts:
    core = Core.of(settings(tmp_path, **environ), version="0")
    return ArchiveParts(dataclasses.replace(core, journal=journal))


def test_each_archive_that_is_named_has_a_stage_of_its_own(tmp_path: Path, journal: Journal) -> None:
    assert keeping(tmp_path, journal).outlets == []
    everything = keeping(tmp_path, journal, **S3, **DRIVE, ARCHIVE_DIR=str(tmp_path / "archive"))
    assert [outlet.name for outlet in everything.outlets] == ["google_drive", "s3", "folder"]
    assert len({id(outlet.stage) for outlet in everything.outlets}) == 3
    assert all(outlet.keeps for outlet in everything.outlets)


def test_events_carry_the_first_link_that_leads_anywhere(tmp_path: Path, journal: Journal) -> None:
    folder = {"ARCHIVE_DIR": str(tmp_path / "archive")}
    assert keeping(tmp_path, journal, **folder).url() == ""
    # Drive's folder was never seen, so its link is not known yet.
    assert keeping(tmp_path, journal, **S3, **DRIVE, **folder).url() == "http://minio:9000/home/cameras/"


def test_an_empty_folder_that_was_an_archive_is_a_disk_that_is_away(tmp_path: Path) -> None:
    (folder,) = make_archives(settings(tmp_path, ARCHIVE_DIR=str(tmp_path / "mnt")), used=lambda _name: True)
    with pytest.raises(ArchiveBlocked, match="not_mounted"):
        folder.open()
    assert not (tmp_path / "mnt").exists()


def test_sorting_and_the_token_s_copy_are_for_drive_only(tmp_path: Path, journal: Journal) -> None:
    backup = {"BACKUP_S3_BUCKET": "tokens"}

    def jobs(**environ: str) -> list[str]:
        return [job.name for job in keeping(tmp_path, journal, **environ).jobs([])]

    assert jobs(**S3, **backup) == ["retention"]
    assert jobs(**DRIVE) == ["retention", "organiser"]
    assert jobs(**DRIVE, **backup) == ["retention", "organiser", "token backup"]


def test_an_archive_is_late_after_the_time_that_is_set(tmp_path: Path, journal: Journal, clock: Clock) -> None:
    clock.now = time.time() - 120
    recorded(journal, a_picture(None), "folder")
    folder = {"ARCHIVE_DIR": str(tmp_path / "archive")}
    (patient,) = keeping(tmp_path, journal, **folder).outlets
    (strict,) = keeping(tmp_path, journal, **folder, ARCHIVE_ALARM_AFTER="60").outlets
    assert (patient.probe().ok, strict.probe().ok) == (True, False)
    assert "1 picture waits, for 1" in strict.probe().detail


def test_the_cache_and_the_videos_are_cleaned_while_the_service_runs(tmp_path: Path, journal: Journal) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=100)
    cache = Cache(tmp_path / "data/cache", zone=UTC)
    picture = Path(recorded(journal, a_picture(cache, at=long_ago)).snapshot.path)
    came = tmp_path / "came.mp4"
    came.write_bytes(b"a video")
    videos = Videos(tmp_path / "data/videos", zone=UTC)
    video = videos.keep(came, event_id=event_id(2), camera="Yard Camera", taken_at=long_ago)
    (job,) = keeping(tmp_path, journal).jobs([])
    job.start()
    deadline = time.monotonic() + 20
    while (picture.exists() or video.exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    job.stop()
    assert job.join(60)
    assert not picture.exists()
    assert not video.exists()


def test_a_token_that_is_gone_and_has_no_copy_does_not_keep_the_service_from_starting(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    keeping(tmp_path, journal, **DRIVE, BACKUP_S3_BUCKET="tokens").open()
    assert "google drive's token not restored" in capsys.readouterr().out
