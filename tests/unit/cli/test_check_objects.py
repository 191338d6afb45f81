"""What `check` says of sources of objects: whether they would come, what is missing, what was no event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import sources
from app.cli.check import Finding, Verdict, check
from app.config.settings import load
from app.journal import Journal
from app.journal.paths import path_functions
from app.journal.schema import SCHEMA
from app.pipeline.collect import ObjectUnavailable
from app.sources import Found
from app.sources.mqtt import Mqtt
from pylib.sqlite import Database

CONFIG = {"DETECTOR_KIND": "none", "SOURCE_1_KIND": "mqtt", "SOURCE_1_NAME": "doors"}


class Queue(Mqtt):
    """A source that can be looked at; its server's address is what is found there."""

    @staticmethod
    def check(settings: Any) -> Iterator[Found]:
        yield Found("queue doors")
        if settings.prefix == "closed":
            raise ObjectUnavailable("access_denied", "SQS does not let this login do that: grant it sqs:ReceiveMessage")
        yield Found("bucket home", "" if settings.prefix != "odd" else "write to it")


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources.KINDS, "mqtt", f"{__name__}:Queue")


def found(folder: Path, **environment: str) -> list[Finding]:
    settings = load(None, {"DATA_DIR": str(folder), **CONFIG, **environment})
    return [finding for finding in check(settings) if finding.subject == "source doors"]


def test_all_that_is_there_is_said(tmp_path: Path) -> None:
    assert found(tmp_path) == [
        Finding("source doors", Verdict.OK, "queue doors"),
        Finding("source doors", Verdict.OK, "bucket home"),
    ]


def test_what_is_odd_is_a_warning_with_what_to_do(tmp_path: Path) -> None:
    assert found(tmp_path, SOURCE_1_PREFIX="odd")[1] == Finding(
        "source doors", Verdict.WARNING, "bucket home", "write to it"
    )


def test_what_is_missing_is_wrong_and_the_policy_is_pointed_to(tmp_path: Path) -> None:
    there, missing = found(tmp_path, SOURCE_1_PREFIX="closed")
    assert (there.verdict, missing.verdict) == (Verdict.OK, Verdict.WRONG)
    assert missing.text.endswith("grant it sqs:ReceiveMessage")
    assert "snapshot-processor iam" in missing.remedy


def test_messages_that_were_no_events_are_pointed_out_with_the_newest_reason(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.open()
    journal.database.start()
    journal.reject_message("another", "m0", "not_an_event: it is XML")
    for message, reason in (("m1", "not_an_event: it is a mail"), ("m2", "not_an_event: it is a song")):
        journal.reject_message("doors", message, reason)
    journal.database.stop()
    assert journal.database.join(60)
    *_, rejected = found(tmp_path)
    assert rejected.verdict is Verdict.WARNING
    assert rejected.text == "2 message(s) were no events of a bucket; the newest: not_an_event: it is a song"


def test_a_journal_of_an_earlier_release_knows_of_none(tmp_path: Path) -> None:
    database = Database(tmp_path / "journal.db", schema=SCHEMA[:5], functions=path_functions(tmp_path))
    database.open()
    database.start()
    database.stop()
    assert database.join(60)
    assert [finding.verdict for finding in found(tmp_path)] == [Verdict.OK, Verdict.OK]
