"""Adapters from settings: which there are, in which order, and under which names."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.archives import ArchiveBlocked
from app.bootstrap.adapters import (
    detector_settings,
    make_archives,
    make_detector,
    make_lookers,
    monthly_calls,
    publisher_entries,
    publisher_names,
)
from app.config.settings import Settings, load
from app.detectors.hog import Hog


def settings(tmp_path: Path, **environ: str) -> Settings:
    return load(None, {"DATA_DIR": str(tmp_path / "data"), **environ})


def folders(tmp_path: Path, *names: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        entry = {"KIND": "folder", "NAME": name, "DIR": str(tmp_path / name)}
        said |= {f"ARCHIVE_{number}_{key}": value for key, value in entry.items()}
    return said


def test_archives_with_a_section_come_first_and_then_those_of_the_list(tmp_path: Path) -> None:
    own = {"GOOGLE_DRIVE_FOLDER": "Snapshots", "S3_BUCKET": "home", "ARCHIVE_DIR": str(tmp_path / "archive")}
    given = settings(tmp_path, **own, **folders(tmp_path, "attic", "barn"))
    made = make_archives(given, used=lambda _name: False)
    assert [archive.name for archive in made] == ["google_drive", "s3", "folder", "attic", "barn"]


def test_each_archive_is_asked_for_by_its_own_name_whether_it_was_used(tmp_path: Path) -> None:
    given = settings(tmp_path, **folders(tmp_path, "attic", "barn", "cellar"))
    attic, barn, cellar = make_archives(given, used=lambda name: name == "barn")
    attic.open()
    cellar.open()
    with pytest.raises(ArchiveBlocked, match="not_mounted"):
        barn.open()


def test_the_broker_of_the_section_comes_before_the_publishers_of_the_list(tmp_path: Path) -> None:
    other = {"PUBLISHER_1_KIND": "rabbitmq", "PUBLISHER_1_NAME": "other", "PUBLISHER_1_SERVER_ADDRESS": "10.0.0.9"}
    assert publisher_names(settings(tmp_path)) == []
    assert publisher_names(settings(tmp_path, **other)) == ["other"]
    both = publisher_entries(settings(tmp_path, RABBITMQ_SERVER_ADDRESS="10.0.0.8", **other))
    assert [(kind, name, own.server_address) for kind, name, own in both] == [
        ("rabbitmq", "rabbitmq", "10.0.0.8"),
        ("rabbitmq", "other", "10.0.0.9"),
    ]


def test_the_detector_is_the_one_that_is_set(tmp_path: Path) -> None:
    assert detector_settings(settings(tmp_path, DETECTOR_KIND="none")) == []
    assert make_lookers(settings(tmp_path, DETECTOR_KIND="none")) == {}
    with_hog = settings(tmp_path, DETECTOR_KIND="hog")
    (own,) = detector_settings(with_hog)
    assert isinstance(make_detector(own, with_hog), Hog)


def test_each_of_two_detectors_can_be_asked_alone_and_both_together(tmp_path: Path) -> None:
    both = settings(
        tmp_path, DETECTOR_KIND="tiers", DETECTOR_SECOND_REGION="eu-central-1", DETECTOR_SECOND_MONTHLY_CAP="7"
    )
    assert [own.kind for own in detector_settings(both)] == ["hog", "rekognition"]
    lookers = make_lookers(both)
    assert list(lookers) == ["hog", "rekognition", "tiers"]
    assert monthly_calls(lookers) == {"rekognition": 7}
