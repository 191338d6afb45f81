"""Which objects count, and whose pictures they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from app.config.settings import load
from app.messages import ObjectCreated
from app.sources.buckets.cameras import MAX_LABEL, WatchedObjects
from app.sources.buckets.notifications import FoundObject
from app.sources.buckets.settings import BucketSourceSettings
from pylib.settings.error_texts import error_text

DOOR, YARD = "Front Door Camera", "Yard Camera"
CAMERAS = {DOOR: "The door", YARD: "The yard"}
WRITTEN = datetime(2026, 3, 4, 12, tzinfo=UTC)


def settings(*buckets: dict[str, Any], **options: Any) -> BucketSourceSettings:
    return BucketSourceSettings.model_validate({"buckets": buckets or ({"bucket": "photos"},), **options})


def created(key: str, *buckets: dict[str, Any], bucket: str = "photos", **options: Any) -> ObjectCreated | None:
    watched = WatchedObjects(settings(*buckets, **options), cameras=CAMERAS)
    return watched.created(FoundObject(bucket, key, WRITTEN, 7, "e", "v", "0A"), origin="queue", receipt="r")


def camera(key: str, *buckets: dict[str, Any]) -> tuple[str, str]:
    found = created(key, *buckets)
    assert found is not None
    return found.camera, found.label


def test_a_message_has_all_that_was_announced() -> None:
    found = created("yard/a.jpg")
    assert found is not None
    assert (found.origin, found.receipt, found.bucket, found.key) == ("queue", "r", "photos", "yard/a.jpg")
    assert (found.size, found.etag, found.version, found.sequencer) == (7, "e", "v", "0A")
    assert (found.timestamp, found.redelivered) == (WRITTEN, False)
    again = created("yard/a.jpg")
    assert again is not None
    assert again.id == found.id
    assert len(found.id) == 32


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("yard/a.jpg", (YARD, "The yard")),
        ("front-door-camera/2026/03/a.jpg", (DOOR, "The door")),
        ("FRONT_DOOR/a.jpg", (DOOR, "The door")),
        ("Garage/a.jpg", ("Garage Camera", "Garage")),
        ("Garage Camera/a.jpg", ("Garage Camera", "Garage")),
        ("Küche \t 1/a.jpg", ("Küche 1 Camera", "Küche 1")),
        ("\x1b[31m\u2028/a.jpg", ("[31m Camera", "[31m")),
        ("\x01\x02/a.jpg", ("photos Camera", "photos")),
        ("x" * 300 + "/a.jpg", ("x" * MAX_LABEL + " Camera", "x" * MAX_LABEL)),
        ("a.jpg", ("photos Camera", "photos")),
    ],
)
def test_each_first_folder_is_a_camera_of_its_own_unless_it_is_a_configured_one(
    key: str, expected: tuple[str, str]
) -> None:
    assert camera(key) == expected
    assert camera(f"in/{key}", {"bucket": "photos", "prefix": "in/"}) == expected
    assert camera(f"in/{key}", {"bucket": "photos", "prefix": "/in"}) == expected


def test_a_bucket_may_be_one_camera_s_in_any_spelling_or_one_that_nobody_configured() -> None:
    for spelling in (DOOR, "front door", "front-door-camera", "FRONT_DOOR"):
        assert camera("deep/in/a.jpg", {"bucket": "photos", "camera": spelling}) == (DOOR, "The door")
    with capture_logs() as logs:
        found = camera("deep/in/a.jpg", {"bucket": "photos", "camera": "Frnt Door"})
    assert found == ("Frnt Door Camera", "Frnt Door")
    assert [log["reason"] for log in logs] == [
        "unknown_camera: no camera 'Frnt Door'; did you mean 'Front Door Camera'?"
    ]


def test_of_two_prefixes_the_longer_one_holds() -> None:
    buckets = ({"bucket": "photos"}, {"bucket": "photos", "prefix": "in/", "camera": DOOR}, {"bucket": "other"})
    assert camera("yard/a.jpg", *buckets)[0] == YARD
    assert camera("in/yard/a.jpg", *buckets)[0] == DOOR


def test_in_the_environment_a_bucket_and_its_prefix_are_one_word() -> None:
    for text in ("photos/in/", " s3://photos/in/"):
        assert BucketSourceSettings.model_validate({"buckets": [text]}) == settings(
            {"bucket": "photos", "prefix": "in/"}
        )
    entry = load(environ={"SOURCE_1_KIND": "bucket", "SOURCE_1_BUCKETS": "photos, other/in/"}).sources[0]
    assert [(one.bucket, one.prefix) for one in entry.buckets] == [("photos", ""), ("other", "in/")]  # type: ignore[attr-defined]


def test_other_buckets_prefixes_and_suffixes_are_passed_over() -> None:
    assert created("yard/a.jpg", bucket="another") is None
    assert created("yard/a.jpg", {"bucket": "photos", "prefix": "in/"}) is None
    assert created("yard/a.mp4") is None
    assert created("yard/a.gif") is None
    for name in ("a.jpg", "A.JPG", "a.jpeg", "a.png", "a.webp", "a.heic", "a.bmp"):
        assert created(f"yard/{name}"), name
    assert created("yard/a.jpg", suffixes=[" _FULL.JPG "]) is None
    assert created("yard/a_full.jpg", suffixes=[" _FULL.JPG "])
    assert created("yard/a", suffixes=[])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"buckets": []}, "must name a bucket"),
        ({"buckets": [{"bucket": ""}]}, "must not be empty"),
        ({"buckets": [{"bucket": "s3://photos"}]}, "must be the name of a bucket"),
        ({"buckets": [{"bucket": "photos", "prefix": "x" * 901}]}, "at most 900 characters"),
        ({"max_bytes": 0}, "greater than or equal to 1000"),
        ({"max_in_hand": 0}, "greater than or equal to 1"),
        ({"every": 5}, "is not a setting"),
    ],
)
def test_a_bad_setting_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BucketSourceSettings(**{"buckets": [{"bucket": "photos"}], **options})
    (error,) = refused.value.errors()
    assert sentence in error_text(error)
