"""What thumbnails are called: the same for the same picture, below their prefix, and not too long."""

from __future__ import annotations

import dataclasses
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.messages import Snapshot
from app.publishers.thumbnails.names import LONGEST, PLACEHOLDERS, key_of, placeholders
from tests.fakes.archives import event_id
from tests.fakes.messages import EVENING

BERLIN = ZoneInfo("Europe/Berlin")
CACHED = f"2026/03/05/front-door-camera/001000-{event_id(1)}.jpg"
LATE = EVENING.replace(hour=23)
"""Past midnight in Berlin."""
OF_A_CAMERA = Snapshot(event_id(1), "Front Door Camera", "Front Door", LATE, LATE, 0.4, "http", f"/cache/{CACHED}")

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)


def named(template: str, key: str = "", *, below: str = "small/", size: str = "64x64", kind: str = "JPEG") -> str:
    snapshot = dataclasses.replace(OF_A_CAMERA, object_key=key, bucket="photos" if key else "")
    return key_of(template, snapshot, below=below, size=size, kind=kind, zone=BERLIN)


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("<folder>thumbnail_<name>", "small/uploads/a b/thumbnail_cät.jpg"),
        ("thumbnail_<name>", "small/thumbnail_cät.jpg"),
        ("<size>/<key>", "small/64x64/uploads/a b/cät.jpg"),
        ("<camera>/<date>/<id>", f"small/front-door-camera/2026-03-05/{event_id(1)}.jpg"),
        ("<bucket>/<id>", f"small/photos/{event_id(1)}.jpg"),
        ("latest of <camera>.JPEG", "small/latest of front-door-camera.JPEG"),
    ],
)
def test_a_template_names_a_picture_from_a_bucket_by_its_key(template: str, key: str) -> None:
    assert named(template, "uploads/a b/cät.jpg") == key


def test_a_picture_of_a_camera_is_named_as_in_the_cache() -> None:
    folder, _, name = CACHED.rpartition("/")
    assert named("<folder>thumbnail_<name>") == f"small/{folder}/thumbnail_{name}"
    assert named("<key>", below="") == CACHED


@pytest.mark.parametrize(
    ("key", "kind", "name"),
    [
        ("a.jpeg", "JPEG", "a.jpeg"),
        ("a.JPG", "JPEG", "a.JPG"),
        ("a.png", "JPEG", "a.png.jpg"),
        ("a", "PNG", "a.png"),
        ("a.jpg", "AVIF", "a.jpg.avif"),
    ],
)
def test_a_name_ends_with_the_suffix_of_what_is_in_it(key: str, kind: str, name: str) -> None:
    assert named("<name>", key, below="", kind=kind) == name


@given(NAMES, st.sampled_from(["", "small/", "x" * 500 + "/"]))
@example("../../x.jpg", "small/")
@example("/etc/passwd", "small/")
@example("a/../../../b", "small/")
@example("ü" * 512, "small/")
@example("\ud800.jpg", "small/")
@example("<id>", "")
def test_a_key_stays_below_its_prefix_and_is_never_too_long(key: str, below: str) -> None:
    made = named("<folder>thumbnail_<name>", key, below=below)
    assert made.startswith(below)
    assert not {".", ".."} & {*made.split("/")}
    assert len(made.encode()) <= LONGEST
    assert made.lower().endswith((".jpg", ".jpeg", ".jpe", ".jfif"))
    assert made == named("<folder>thumbnail_<name>", key, below=below)


@given(NAMES, NAMES)
@example("ü" * 511 + "a", "ü" * 511 + "b")
@example("x.png", "x.jpg")
@example("a/x.jpg", "b/x.jpg")
def test_two_pictures_never_share_a_name(one: str, other: str) -> None:
    keys = {named("<folder>thumbnail_<name>", key.lstrip("/").replace("..", "")) for key in (one, other)}
    assert len(keys) == len({key.lstrip("/").replace("..", "") for key in (one, other)})


def test_what_stands_in_a_key_is_no_placeholder() -> None:
    assert named("<name>", "<id>.jpg") == "small/<id>.jpg"
    assert placeholders("<folder>x<size") == {"folder"}
    assert set(PLACEHOLDERS) >= placeholders("<folder><name><key><size><camera><date><id>")
