"""The commands for who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import publishers
from app.cli.main import main
from app.journal import Journal
from app.messages import Detection, Inspection, Label, OutletDecision, Snapshot
from app.publishers.rabbitmq import RabbitMQ
from tests.fakes.clock import Clock


class Phone(RabbitMQ):
    """Tells people, of many events in one message too."""

    notifies = True

    def publish_digest(self) -> None:
        raise NotImplementedError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a camera and a publisher `phone` that tells people."""
    monkeypatch.setitem(publishers.KINDS, "rabbitmq", f"{__name__}:Phone")
    config = tmp_path / "config.yml"
    config.write_text(
        f"data_dir: {tmp_path}\ntime_zone: UTC\ncameras: [{{location: Yard}}]\n"
        "publishers: [{kind: rabbitmq, name: phone, server_address: nowhere}]\n"
    )
    monkeypatch.setenv("CONFIG_FILE", str(config))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def kept(
    journal: Journal, event_id: str, confidence: float, *, hours_ago: float, told: str = "", origin: str = "http"
) -> None:
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    snapshot = Snapshot(event_id, "Yard Camera", "Yard", at, at, 0.1, origin, "/cache/1.jpg", 9, 4, 3)
    seen = Inspection(snapshot, "hog", Detection((Label("Person", confidence),), 1), "person")
    journal.record(snapshot)
    decision = OutletDecision("phone", tell=False, reason=told)
    journal.inspect(replace(seen, decisions=(decision,) if told else ()))


def test_replay_shows_what_changed_rules_would_have_told_and_no_longer(
    data: Path, journal: Journal, clock: Clock
) -> None:
    kept(journal, "old", 0.9, hours_ago=100)
    kept(journal, "sure", 0.9, hours_ago=3)
    kept(journal, "unsure", 0.3, hours_ago=2)
    kept(journal, "quiet", 0.8, hours_ago=1, told="quiet hours")
    (data / "changed.yml").write_text("rules: [{name: sure, labels: {Person: 0.6}}]")
    result = run("replay", "--since", "2d", "--rules", str(data / "changed.yml"))
    assert result.exit_code == 0, result.output
    rows = [line.split("  ") for line in result.stdout.splitlines()]
    assert [[cell.strip() for cell in row if cell.strip()][1:] for row in rows] == [
        ["camera", "outlet", "then", "by these rules"],
        ["Yard Camera", "phone", "told, there was no rule", "not told, sure: Person: 30 % < 60 %"],
        ["Yard Camera", "phone", "not told, quiet hours", "told, sure: Person 80 %"],
    ]
    assert result.stderr == "3 events, 2 messages then, 2 by these rules\n"
    assert len(run("replay", "--since", "2d", "--all").stdout.splitlines()) == 4
    assert run("replay", "--since", "150m").stderr.startswith("2 events, 1 messages then, 2 ")


def test_replay_counts_a_digest_as_one_message_and_leaves_imported_pictures_out(data: Path, journal: Journal) -> None:
    for minute in range(4):
        kept(journal, f"event {minute}", 0.9, hours_ago=2 - minute / 60)
    kept(journal, "old", 0.9, hours_ago=1, origin="import")
    (data / "changed.yml").write_text("digest: {after: 1, within: 600}")
    result = run("replay", "--rules", str(data / "changed.yml"))
    assert (result.stdout, result.stderr) == ("", "4 events, 4 messages then, 2 by these rules\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "soon"], "'soon' is no duration such as 30m, 12h or 7d"),
        (["--rules", "nowhere.yml"], "does not exist"),
        (["--mode", "holiday"], "'holiday' is not one of"),
    ],
)
def test_what_replay_cannot_use_is_named(data: Path, arguments: list[str], says: str) -> None:
    result = run("replay", *arguments)
    assert (result.exit_code, says in result.stderr) == (2, True)


def test_wrong_rules_are_named_with_their_line(data: Path, journal: Journal) -> None:
    (data / "changed.yml").write_text("rules:\n  - {name: a, outlets: [fone]}")
    result = run("replay", "--rules", str(data / "changed.yml"))
    assert result.exit_code == 78
    assert "rules[0].outlets[0] (line 2): 'fone' tells nobody; did you mean phone?" in result.stderr


@pytest.mark.parametrize("command", [["mode"], ["mode", "away"], ["snooze"], ["snooze", "Yard", "--for", "1h"]])
def test_without_a_service_they_say_so(data: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setenv("WEB_PORT", "1")
    result = run(*command)
    assert (result.exit_code, "no service answers at http://127.0.0.1:1" in result.stderr) == (1, True)
