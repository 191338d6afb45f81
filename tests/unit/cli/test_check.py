"""What `check` says: what is well, what is wrong, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pika.exceptions import ChannelClosedByBroker

from app import wording
from app.cli.check import Finding, Verdict, brokers, check, machine, outlets
from app.config.settings import load
from app.journal import Journal
from app.messages import Detection, Inspection, Label, Snapshot
from pylib.rabbitmq.broker import Broker
from tests.fakes.amqp import FakeBroker, FakeConnection
from tests.simulators.rekognition import Rekognition

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ADDRESS = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Front", "OUTPUT_1_KIND": "still"}


def found(
    subject: str, folder: Path, environment: dict[str, str] | None = None, *, file: Path | None = None
) -> list[Finding]:
    """What is said of this subject."""
    settings = load(file, {"DATA_DIR": str(folder), "DETECTOR_KIND": "none", **(environment or {})})
    return [finding for finding in check(settings) if finding.subject == subject]


def of_the_album(folder: Path, **environment: str) -> list[Finding]:
    return found("album", folder, environment)


def test_without_a_camera_it_says_how_to_add_one(tmp_path: Path) -> None:
    first, slip, none = found("configuration", tmp_path, {"RABBITMQ_SERVER_ADRESS": "x"})
    assert (first.verdict, first.text) == (Verdict.OK, "environment only, 0 cameras")
    assert (slip.verdict, "RABBITMQ_SERVER_ADDRESS?" in slip.text) == (Verdict.WARNING, True)
    assert (none.verdict, none.text) == (Verdict.WARNING, "no camera is configured")
    assert "OUTPUT_1_TYPE" in none.remedy


@pytest.mark.parametrize(
    ("text", "mode", "verdict"),
    [
        ("web: {password: hush}", 0o640, Verdict.WARNING),
        ("web: {password: hush}", 0o604, Verdict.WARNING),
        ("web: {password: hush}", 0o600, Verdict.OK),
        ("max_age: 9", 0o644, Verdict.OK),
    ],
)
def test_passwords_that_others_may_read_are_pointed_out(tmp_path: Path, text: str, mode: int, verdict: Verdict) -> None:
    file = tmp_path / "config.yml"
    file.write_text(text)
    file.chmod(mode)
    (finding,) = found("secrets", tmp_path / "data", file=file)
    assert (finding.verdict, finding.remedy) == (verdict, f"chmod 600 {file}" if verdict is Verdict.WARNING else "")


@pytest.mark.parametrize(("version", "verdict"), [("3.13.7", Verdict.OK), ("4.0.5", Verdict.WARNING)])
def test_a_queue_whose_triggers_may_become_dead_letters_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, verdict: Verdict
) -> None:
    def differ(_queue: str, *, arguments: dict[str, Any], **_: object) -> None:
        if "x-delivery-limit" in arguments:
            raise ChannelClosedByBroker(406, "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q'")

    broker = FakeBroker()
    broker.version = version
    broker.answers["queue_declare"] = differ
    monkeypatch.setattr(Broker, "connect", lambda _self, _name: FakeConnection(broker))
    (finding,) = found("broker", tmp_path, {"RABBITMQ_SERVER_ADDRESS": "mq", "RABBITMQ_VHOST": "home"})
    assert finding.verdict is verdict
    assert finding.remedy.startswith("rabbitmqctl set_policy -p home ") == (verdict is Verdict.WARNING)


def test_a_disk_that_takes_nothing_or_is_nearly_full_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.verdict for finding in found("disk", tmp_path / "data")] == [Verdict.OK]
    (tmp_path / "file").touch()
    (unwritable,) = found("disk", tmp_path / "file")
    assert (unwritable.verdict, "DATA_DIR" in unwritable.remedy) == (Verdict.WRONG, True)
    monkeypatch.setattr(machine, "LEAST_DISK", 1e18)
    (full,) = found("disk", tmp_path / "data")
    assert (full.verdict, full.remedy) == (Verdict.WRONG, "free some space")


@pytest.mark.parametrize(
    ("synchronised", "verdict"), [(True, Verdict.OK), (False, Verdict.WARNING), (None, Verdict.OK)]
)
def test_a_clock_that_nobody_sets_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synchronised: bool | None, verdict: Verdict
) -> None:
    monkeypatch.setattr(machine, "_synchronised", lambda: synchronised)
    assert [finding.verdict for finding in found("clock", tmp_path)] == [verdict]


def test_a_broker_that_is_away_is_wrong_and_none_is_a_warning(tmp_path: Path) -> None:
    (none,) = found("broker", tmp_path)
    assert (none.verdict, "RABBITMQ_SERVER_ADDRESS" in none.remedy) == (Verdict.WARNING, True)
    (away,) = found("broker", tmp_path, {"RABBITMQ_SERVER_ADDRESS": "amqp://me:hush@127.0.0.1:1"})
    assert (away.verdict, away.remedy) == (Verdict.WRONG, wording.explain("broker_away", of="publisher")[1])
    assert "hush" not in away.text


def test_a_camera_is_asked_and_what_is_wrong_comes_with_what_to_do(tmp_path: Path) -> None:
    (away,) = found("camera Front Camera", tmp_path, {**ADDRESS, "OUTPUT_1_URL": "http://127.0.0.1:1/"})
    assert (away.verdict, away.remedy) == (Verdict.WRONG, wording.explain("refused", of="camera")[1])
    demo = {**ADDRESS, "OUTPUT_1_KIND": "demo"}
    (well,) = found("camera Front Camera", tmp_path, demo)
    assert well.verdict is Verdict.OK
    assert well.text.endswith(" JPEG")
    foscam = {**ADDRESS, "OUTPUT_1_KIND": "foscam"}
    assert [finding.verdict for finding in found("camera Front Camera", tmp_path, foscam)] == [Verdict.WARNING]


def test_an_archive_is_opened_and_a_mere_look_marks_none(tmp_path: Path) -> None:
    assert [finding.text for finding in found("archive", tmp_path)] == ["none configured"]
    archive = tmp_path / "archive"
    (unused,) = found("archive folder", tmp_path, {"ARCHIVE_DIR": str(archive)})
    assert (unused.verdict, unused.text) == (Verdict.OK, f"{archive}, nothing was archived there yet")
    assert not archive.exists()


def test_a_detector_is_shown_a_picture_and_what_is_wrong_with_it_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [finding.text for finding in found("detector", tmp_path)] == ["none: pictures are not looked at"]
    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    with Rekognition() as double:
        asked = {"DETECTOR_KIND": "rekognition", "DETECTOR_REGION": "eu-west-1", "DETECTOR_ENDPOINT_URL": double.url}
        (well,) = found("detector", tmp_path, asked)
        double.faults.append("access_denied")
        (wrong,) = found("detector", tmp_path, asked)
    assert (well.verdict, well.text) == (Verdict.OK, "rekognition, sees 2 person(s) in a drawn test picture")
    assert (wrong.verdict, wrong.text.startswith("rekognition: access_denied")) == (Verdict.WRONG, True)


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({}, "http://127.0.0.1:8080/ for whoever is on this machine"),
        ({"WEB_PASSWORD": "hush"}, "http://127.0.0.1:8080/ with the password"),
        ({"WEB_HOST": "192.168.1.7"}, "http://192.168.1.7:8080/ with the password that the service makes"),
        ({"WEB_PUBLIC_URL": "https://home.example/album"}, "https://home.example/album/ with the password that"),
    ],
)
def test_it_says_where_the_album_is_and_for_whom(tmp_path: Path, environment: dict[str, str], text: str) -> None:
    first, *_ = of_the_album(tmp_path, **environment)
    assert first.verdict is Verdict.OK
    assert first.text.startswith(text)
    assert "hush" not in first.text


def test_a_proxy_that_is_not_trusted_is_pointed_out(tmp_path: Path) -> None:
    public = {"WEB_PUBLIC_URL": "https://home.example/album", "WEB_PASSWORD": "hush"}
    assert [finding.verdict for finding in of_the_album(tmp_path, **public)] == [Verdict.OK, Verdict.WARNING]
    trusted = of_the_album(tmp_path, **public, WEB_TRUSTED_PROXIES="127.0.0.1/32")
    assert [finding.verdict for finding in trusted] == [Verdict.OK]


def test_without_a_web_side_there_is_no_album(tmp_path: Path) -> None:
    assert of_the_album(tmp_path, WEB_ENABLED="false") == []


def with_rules(folder: Path, text: str) -> list[Finding]:
    (folder / "rules.yml").write_text(text)
    return found("rules", folder, {**ADDRESS, "OUTPUT_1_KIND": "foscam"})


def test_rules_are_counted_and_their_mistakes_named_with_the_line(tmp_path: Path) -> None:
    assert found("rules", tmp_path)[0].text == "none: everything is told"
    assert with_rules(tmp_path, "rules: [{name: door, cameras: [Front]}]")[0].text == "1 rules, 0 zones"
    wrong, outlet = with_rules(tmp_path, "rules:\n- {name: a, cameras: [Frount]}\n- {name: b, outlets: [phone]}")
    assert (wrong.verdict, "rules[0].cameras[0] (line 2)" in wrong.text) == (Verdict.WRONG, True)
    assert "did you mean Front?" in wrong.text
    assert "configure one in `publishers`" in outlet.text


def test_a_label_that_no_picture_ever_showed_is_pointed_out(tmp_path: Path, journal: Journal) -> None:
    snapshot = Snapshot("s1", "Front Camera", "Front", NOW, NOW, 0.1, "http")
    journal.record(snapshot)
    journal.inspect(Inspection(snapshot, "hog", Detection((Label("Person", 0.9), Label("Bicycle", 0.5))), "person"))
    fine, slip = with_rules(tmp_path, "rules: [{name: door, labels: {person: 0, Bycicle: 0.4}}]")
    assert (fine.verdict, slip.verdict) == (Verdict.OK, Verdict.WARNING)
    assert slip.text == "door: no picture ever showed a 'Bycicle'; did you mean Bicycle?"


def test_every_publisher_is_made_and_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(
        """
        publishers:
          - {kind: webpush, name: push, subject: "mailto:ann@home.example"}
          - {kind: webpush, name: oops, subject: "mailto:ann@home.example", title_template: "{{ plaec }}"}
        """
    )
    (well,) = found("publisher push", tmp_path, file=file)
    assert (well.verdict, well.text) == (Verdict.OK, "messages to browsers (web push)")
    assert "notify test push" in well.remedy
    (wrong,) = found("publisher oops", tmp_path, file=file)
    assert (wrong.verdict, wrong.remedy) == (Verdict.WRONG, "correct it; the message says where and why")
    assert "publishers.oops.title_template fails: 'plaec' is undefined" in wrong.text


def test_nothing_is_missed_where_pictures_come_from_a_bucket_and_the_album_is_on_this_machine(tmp_path: Path) -> None:
    source = {"SOURCE_1_KIND": "bucket", "SOURCE_1_BUCKETS": "home", "SOURCE_1_ENDPOINT_URL": "http://127.0.0.1:9"}
    settings = load(
        None,
        {"DATA_DIR": str(tmp_path), "DETECTOR_KIND": "none", "WEB_PUBLIC_URL": "http://localhost:8080", **source},
    )
    found = [*machine.configuration(settings), brokers.rabbitmq(settings), *outlets.album(settings)]
    assert [finding.text for finding in found if finding.verdict is not Verdict.OK] == []
