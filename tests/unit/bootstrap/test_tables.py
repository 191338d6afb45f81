"""Tables of results are outlets as every other, and are told what people do in the album."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap.adapters import notifying_names
from app.bootstrap.service import Service
from app.config.settings import load
from app.publishers import CheckedPublisher, EditFollower

LISTED = {
    "PUBLISHER_1_KIND": "dynamodb",
    "PUBLISHER_1_TABLE": "snapshots",
    "PUBLISHER_1_REGION": "eu-central-1",
    "PUBLISHER_2_KIND": "postgres",
    "PUBLISHER_2_URL": "postgresql://user:hunter2@127.0.0.1:9/name",
    "PUBLISHER_2_KEEP_DAYS": "30",
    "PUBLISHER_3_KIND": "postgres",
    "PUBLISHER_3_NAME": "broken",
    "PUBLISHER_3_URL": "hunter2",
    "PUBLISHER_4_KIND": "webhook",
    "PUBLISHER_4_URL": "http://127.0.0.1:9",
}


def test_tables_get_every_event_and_follow_edits_also_while_one_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(None, {"DATA_DIR": str(tmp_path / "data"), **LISTED})
    assert notifying_names(settings) == ["webhook"]  # rules are about no table
    service = Service(settings, version="1")
    assert service.core.journal.followers == ["dynamodb", "postgres", "broken"]
    tables = service.publishing.publishers[:2]
    assert all(isinstance(one, EditFollower) and isinstance(one, CheckedPublisher) for one in tables)
    assert "old rows of postgres" in [thread.name for thread in service.threads]
    assert "hunter2" not in capsys.readouterr().out + repr(settings)
