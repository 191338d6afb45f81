"""Thumbnails: what is said of settings that make no sense, before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.publishers.thumbnails import settings as module
from app.publishers.thumbnails.settings import ThumbnailsSettings


def test_unless_something_is_set_thumbnails_are_those_of_the_original_system() -> None:
    unset = ThumbnailsSettings()
    assert (unset.boxes, unset.mode, unset.format, unset.below) == ([(64, 64)], "fit", "same", "thumbnails/")
    assert ThumbnailsSettings(prefix="").below == ""
    assert ThumbnailsSettings(prefix="/a/b/").below == "a/b/"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"sizes": ["64x64", "480x480"]}, "several sizes need <size> in `key`"),
        ({"sizes": ["64"]}, "width x height in pixels up to 8192, such as 64x64"),
        ({"sizes": ["9000x10"]}, "up to 8192"),
        ({"sizes": ["64x64", "64x64"], "key": "<size>/<key>"}, "stands there twice"),
        ({"key": "<nmae>"}, "knows no <nmae>; did you mean name"),
        ({"key": "<x>"}, "there are: folder, name, key, size"),
        ({"endpoint_url": "https://someone:hidden@minio.example:9000"}, "must have no user and password in it"),
        ({"link_lifetime": 604_801}, "less than or equal to 604800"),
        ({"cache_control": "max-age=1\nSet-Cookie: x"}, "pattern"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ThumbnailsSettings.model_validate(settings)
    (problem,) = refused.value.errors()
    assert sentence in problem["msg"]
    assert "hidden" not in problem["msg"]


def test_a_format_that_pillow_cannot_write_here_is_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "can_write", lambda kind: kind != "AVIF")
    assert ThumbnailsSettings(format="webp").format == "webp"
    with pytest.raises(ValidationError, match="Pillow cannot write avif on this machine: choose jpeg, webp or png"):
        ThumbnailsSettings(format="avif")
