"""A film of a whole service: ordered over HTTP, killed in the middle, and each picture in it once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.media.film_file import frames_of
from tests.e2e.conftest import Launch
from tests.e2e.process import until
from tests.fakes.films import taken
from tests.fakes.journal import opened

PICTURES = 600


@pytest.mark.long
def test_killed_in_the_middle_a_film_has_each_picture_once(launch: Launch) -> None:
    service = launch(cameras=[{"kind": "demo", "location": "Front Door"}], retention={"days": 0})
    data = service.home / "data"
    data.mkdir()
    with opened(data / "journal.db") as journal:
        for number in range(PICTURES):
            taken(journal, data, number, after=number * 600, size=(320, 180))
    service.start().wait_ready()
    url = service.http("POST", "/api/films", json={"cameras": ["front-door"]}).json()["url"]

    def film() -> dict[str, Any]:
        found: dict[str, Any] = service.http("GET", url).json()
        return found

    until(lambda: "frames" in film() or film()["progress"] > 0, what="a part of the film")
    service.kill()
    service.start().wait_ready()
    until(lambda: "frames" in film(), what="the film")
    made = film()
    assert (made["frames"], len(made["chapters"]), made["notes"]) == (PICTURES, 5, [])
    path = Path(data / "films" / f"{made['id']}.mp4")
    assert frames_of(path) == PICTURES
    assert sorted(each.suffix for each in path.parent.iterdir()) == [".jpg", ".json", ".mp4"]
