"""What `watch` prints and keeps."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli.terminal import size_text
from app.cli.watch import EventPrinter
from tests.fakes.cameras import jpeg


def an_event(**changes: Any) -> dict[str, Any]:
    entry = {
        "device_key": "Front Door Camera",
        "device_label": "Front Door",
        "image": jpeg(),
        "image_timestamp": "1700000000",
        "event_id": "abc",
        "event_detail": "1 person(s) and 2 things",
        "person_count": 1,
        "labels": [{"name": "Person"}, {"name": "Dog"}],
        "storage_path": "/data/cache/1.jpg",
        **changes,
    }
    return {"timestamp": "2023-11-14T22:13:20+00:00", "inputs": [entry]}


def test_an_event_is_one_line_for_people(tmp_path: Path) -> None:
    lines: list[str] = []
    EventPrinter(save=None, as_json=False, echo=lines.append).show(an_event())
    (line,) = lines
    assert line.endswith(f"Front Door  1 person, 2 things  {size_text(len(jpeg()))}  /data/cache/1.jpg")


def test_a_line_begins_with_the_time_that_people_s_clocks_show(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setenv("TZ", "HOME-05:30")  # POSIX counts westward
    time.tzset()
    try:
        began = datetime.now(UTC)
        EventPrinter(save=None, as_json=False, echo=lines.append).show(an_event())
        seconds = range(int((datetime.now(UTC) - began).total_seconds()) + 2)
    finally:
        monkeypatch.undo()
        time.tzset()
    at_home = began + timedelta(hours=5, minutes=30)
    assert lines[0][:8] in {f"{at_home + timedelta(seconds=later):%H:%M:%S}" for later in seconds}


def test_an_event_is_one_line_of_json_for_programs() -> None:
    lines: list[str] = []
    EventPrinter(save=None, as_json=True, echo=lines.append).show(an_event())
    entry = json.loads(lines[0])["inputs"][0]
    assert (entry["event_id"], entry["image_bytes"]) == ("abc", len(jpeg()))
    assert "image" not in entry


def test_the_picture_is_kept_where_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    watch = EventPrinter(save=tmp_path / "kept", as_json=False, echo=lambda _: None)
    watch.show(an_event(device_key="../../etc/passwd"))
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.name == "1700000000-etc-passwd-abc.jpg"
    assert kept.read_bytes() == jpeg()
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_an_event_without_a_picture_says_why(tmp_path: Path) -> None:
    lines: list[str] = []
    event = an_event(image=b"", event_detail="", problem="timeout: no answer", storage_path="")
    watch = EventPrinter(save=tmp_path, as_json=False, echo=lines.append)
    watch.show(event)
    assert "timeout: no answer  0 kB" in lines[0]
    assert list(tmp_path.iterdir()) == []
    assert watch.count == 1
