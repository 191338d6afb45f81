"""The audit log: what it remembers, for how long, and how much of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.journal import Journal, audit
from app.journal.audit import KEPT_S, LONGEST, record_of_command
from tests.fakes.clock import Clock
from tests.fakes.journal import begin, end


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Iterator[Journal]:
    journal = begin(tmp_path / "journal.db", clock=clock)
    yield journal
    end(journal)


def star(journal: Journal, subject: str, who: str = "Anna") -> None:
    journal.audit(who=who, method="session", address="10.0.0.7", action="star", subject=subject)


def test_changes_come_newest_first_in_pages_by_who_and_what(journal: Journal) -> None:
    for number in range(5):
        star(journal, f"s{number}", who="Ben" if number == 3 else "Anna")
    first = journal.audited(limit=2)
    assert [row.subject for row in first] == ["s4", "s3"]
    assert [row.subject for row in journal.audited(before=first[-1].seq, limit=2)] == ["s2", "s1"]
    assert [row.subject for row in journal.audited(who="Ben", limit=9)] == ["s3"]
    assert [(row.who, row.method, row.address, row.action) for row in journal.audited(subject="s0", limit=9)] == [
        ("Anna", "session", "10.0.0.7", "star")
    ]


def test_a_change_is_forgotten_after_a_year(journal: Journal, clock: Clock, tmp_path: Path) -> None:
    star(journal, "old")
    clock.now += KEPT_S + 1
    assert journal.audited(limit=9) == []
    star(journal, "new")
    assert [row.subject for row in journal.audited(limit=9)] == ["new"]
    with sqlite3.connect(tmp_path / "journal.db") as database:
        assert database.execute("SELECT subject FROM audit").fetchall() == [("new",)]


def test_the_log_is_bounded_in_rows_and_length(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST", 3)
    for number in range(9):
        star(journal, f"{number}" * 2 * LONGEST)
    rows = journal.audited(limit=9)
    assert [row.subject for row in rows] == ["8" * LONGEST, "7" * LONGEST, "6" * LONGEST]


def test_a_command_records_what_it_changed_while_the_service_runs(journal: Journal, tmp_path: Path) -> None:
    star(journal, "s1")
    assert len(journal.audited(limit=9)) == 1
    assert record_of_command(tmp_path / "journal.db", "add user", subject="Anna", who="root")
    assert [(row.who, row.method, row.action) for row in journal.audited(limit=9)] == [
        ("root", "command", "add user"),
        ("Anna", "session", "star"),
    ]


def test_without_a_journal_there_is_nothing_to_record_in_and_a_broken_one_is_told(tmp_path: Path) -> None:
    assert record_of_command(tmp_path / "none.db", "add user", subject="Anna", who="root")
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "broken.db").write_text("x" * 5000)
    assert not record_of_command(tmp_path / "broken.db", "add user", subject="Anna", who="root")
