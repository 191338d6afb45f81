"""Which jobs events bring, and who does them, by the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap.core import Core
from app.bootstrap.jobs import kinds_of
from app.config.settings import load
from app.journal.jobs import EventJob

SERVER = {"DESCRIBE_URL": "http://192.168.1.20:11434/v1", "DESCRIBE_MODEL": "qwen2.5vl:7b"}


@pytest.mark.parametrize(
    ("environment", "job"),
    [
        ({}, []),
        (SERVER, [EventJob("describe", "sentence", of="person")]),
        ({**SERVER, "DESCRIBE_EVENTS": "all"}, [EventJob("describe", "sentence", of="all")]),
    ],
)
def test_pictures_are_described_where_a_server_is_set_and_nowhere_else(
    tmp_path: Path, environment: dict[str, str], job: list[EventJob]
) -> None:
    core = Core.of(load(None, {"DATA_DIR": str(tmp_path), **environment}), version="1")
    kinds = [kind.kind for kind in kinds_of(core, [])]
    assert [one for one in core.journal.event_jobs if one.kind == "describe"] == job
    assert kinds.count("describe") == len(job)
