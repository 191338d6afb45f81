"""`snapshot-processor thresholds` reads what people corrected in the album."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.main import main
from app.config.data_dir import DataDir
from app.journal import Correction
from app.messages import Detection, Inspection, Label, Snapshot
from tests.fakes.journal import opened


@pytest.fixture
def corrected(tmp_path: Path) -> dict[str, str]:
    """A home in which five of ten persons were cats; its environment."""
    now = datetime.now(UTC)
    with opened(DataDir(tmp_path).journal) as journal:
        for number in range(10):
            snapshot = Snapshot(f"{number}", "Yard Camera", "Yard", now, now, 0, "http", "/a.jpg", 9)
            journal.record(snapshot)
            label = Label("Person", 0.9 if number % 2 else 0.6)
            journal.inspect(Inspection(snapshot, "hog", Detection((label,), 1), "person"))
            journal.change(f"{number}", correction=Correction(("Person",) if number % 2 else ("Cat",)))
    return {"DATA_DIR": str(tmp_path)}


def printed(environment: dict[str, str], *arguments: str) -> str:
    result = CliRunner().invoke(main, ["thresholds", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_says_what_to_set(corrected: dict[str, str]) -> None:
    assert printed(corrected) == "Yard Camera, Person (hog): from 75% on, 0 of 10 wrong instead of 5\n"
    (found,) = json.loads(printed(corrected, "--json"))
    assert (found["camera"], found["threshold"], found["wrong_now"]) == ("Yard Camera", 0.75, 5)


def test_without_enough_it_says_what_is_needed(corrected: dict[str, str]) -> None:
    assert "labels of 11 events" in printed(corrected, "--enough", "11")
