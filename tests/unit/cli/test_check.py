"""What `check` says: what is well, what is wrong, and what to do about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pika.exceptions import ChannelClosedByBroker

from app import wording
from app.cli.check import Finding, Verdict, brokers, check, machine, outlets
from app.cli.main import main
from app.config.settings import load
from app.journal import Journal
from app.messages import Detection, Inspection, Label, Snapshot
from pylib.files.lock import FolderLock
from pylib.rabbitmq.broker import Broker
from tests.fakes import onnx_models
from tests.fakes.amqp import FakeBroker, FakeConnection
from tests.fakes.http_double import http_double
from tests.fakes.logging_state import restored_logging
from tests.simulators.ai_server import ChatServer, DetectionServer
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


def test_a_broker_that_is_away_is_wrong_and_none_is_fine(tmp_path: Path) -> None:
    (none,) = found("broker", tmp_path)
    assert (none.verdict, none.text) == (Verdict.OK, "none: triggers by HTTP and schedule only")
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
    assert [finding.text for finding in found("archive", tmp_path)] == [
        "none configured: pictures stay as long as the cache keeps them"
    ]
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
    assert (well.verdict, well.text) == (Verdict.OK, "rekognition, sees 2 people in a drawn test picture")
    assert (wrong.verdict, wrong.text.startswith("rekognition: access_denied")) == (Verdict.WRONG, True)


def test_it_says_which_model_looks_and_how_to_see_better_without_one(tmp_path: Path) -> None:
    (hog,) = found("detector", tmp_path, {"DETECTOR_KIND": "auto"})
    assert (hog.verdict, hog.text) == (Verdict.OK, "hog, sees 1 person in a drawn test picture")
    assert hog.remedy.startswith("HOG finds few people: snapshot-processor model add yolox-nano")
    (tmp_path / "models").mkdir()
    path = onnx_models.write(
        tmp_path / "models" / "mine.onnx", onnx_models.yolov8([onnx_models.Thing((9, 60, 80, 90))])
    )
    (model,) = found("detector", tmp_path, {"DETECTOR_KIND": "auto"})
    assert model.text.startswith("mine.onnx (YOLOv8, 160 x 160, 80 classes) by onnxruntime ")
    assert (model.verdict, model.remedy) == (Verdict.OK, "")
    path.write_bytes(b"no model")
    (wrong,) = found("detector", tmp_path, {"DETECTOR_KIND": "auto"})
    assert (wrong.verdict, wrong.text) == (Verdict.WRONG, "onnx: not_onnx: mine.onnx is no ONNX model")


def test_servers_that_look_at_pictures_are_asked_and_what_is_wrong_comes_with_what_to_do(tmp_path: Path) -> None:
    with http_double() as server:
        server.answer = DetectionServer()
        (sees,) = found("detector", tmp_path, {"DETECTOR_KIND": "codeproject", "DETECTOR_URL": server.url})
        other = {"DETECTOR_KIND": "deepstack", "DETECTOR_URL": server.url, "DETECTOR_CUSTOM_MODEL": "nobody"}
        (model,) = found("detector", tmp_path, other)
        server.answer = ChatServer()
        describing = {"DESCRIBE_URL": f"{server.url}/v1", "DESCRIBE_MODEL": "qwen2.5vl:7b"}
        (says,) = found("describe", tmp_path, describing)
        (nothing,) = found("describe", tmp_path, {**describing, "DESCRIBE_URL": server.url})
    assert sees.text == "codeproject, sees 1 person in a drawn test picture"
    assert (model.verdict, "DETECTOR_CUSTOM_MODEL" in model.remedy) == (Verdict.WRONG, True)
    assert (says.verdict, says.text) == (Verdict.OK, f"qwen2.5vl:7b at {server.url}/v1")
    assert (nothing.verdict, "ends in /v1" in nothing.remedy) == (Verdict.WRONG, True)
    assert found("describe", tmp_path) == []


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


def test_what_a_mask_costs_is_said(tmp_path: Path) -> None:
    mask = "zones: [{camera: Front, name: a, points: [[0, 0], [0.5, 0], [0.5, 0.5]], private: true}]"
    (tmp_path / "rules.yml").write_text(mask)
    said = [finding.text for finding in found("privacy", tmp_path, {**ADDRESS, "OUTPUT_1_KIND": "foscam"})]
    assert said == ["1 masks of Front Camera: videos that it sends, and files that are refused, are deleted"]


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


def checked(folder: Path, *arguments: str) -> Result:
    config = folder / "config.yml"
    config.write_text(
        f"data_dir: {folder}\ndetector: {{kind: none}}\ncameras:\n- {{kind: demo, location: Yard}}\n"
        "- {kind: still, location: Shed, url: http://127.0.0.1:1/}\n"
    )
    config.chmod(0o600)
    folder.chmod(0o700)
    with restored_logging():
        return CliRunner().invoke(main, ["--config", str(config), "check", *arguments])


def test_it_ends_with_a_line_that_sums_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_synchronised", lambda: False)
    result = checked(tmp_path)
    lines = result.output.splitlines()
    fine = sum(line.startswith("ok ") for line in lines)
    assert (result.exit_code, lines[-1]) == (1, f"1 problem, 1 warning, {fine} fine")
    (wrong,) = [place for place, line in enumerate(lines) if line.startswith("WRONG   camera Shed Camera: ")]
    assert lines[wrong + 1].startswith("        -> ")


def test_one_camera_is_checked_alone_and_all_of_it_is_json_too(tmp_path: Path) -> None:
    yard = checked(tmp_path, "yard")
    assert (yard.exit_code, yard.output.splitlines()) == (0, ["ok      camera Yard Camera: 1280x720 JPEG", "1 fine"])
    shed = checked(tmp_path, "Shed", "--json")
    (found,) = json.loads(shed.output)
    assert (shed.exit_code, found["subject"], found["verdict"]) == (1, "camera Shed Camera", "wrong")


REPLICA = {"RABBITMQ_SERVER_ADDRESS": "mq", "REPLICAS_GROUP": "snapshot", "DEVICE_NAME": "den", "REPLICAS_SHARDS": "2"}


def of_replicas(
    folder: Path, monkeypatch: pytest.MonkeyPatch, broker: FakeBroker, **environment: str
) -> list[tuple[Verdict, str]]:
    monkeypatch.setattr(Broker, "connect", lambda _self, _name: FakeConnection(broker))
    return [(one.verdict, one.text) for one in found("replicas", folder, {**REPLICA, **environment})]


def test_all_that_a_replica_needs_at_the_broker_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = FakeBroker()
    ((verdict, text),) = of_replicas(tmp_path, monkeypatch, broker)
    assert (verdict, text) == (Verdict.OK, "group 'snapshot', 2 shards; 'den': the name is free")
    declared = {call[1].removeprefix("snapshot-processor.snapshot.") for call in broker.of("queue_declare")}
    assert declared == {"triggers", "triggers.dead", "shard.0", "shard.1", "replica.den", "leader"}


def test_a_name_that_another_replica_has_is_wrong_and_our_own_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_queue: str, *, exclusive: bool = False, **_: object) -> None:
        if exclusive:
            raise ChannelClosedByBroker(405, "RESOURCE_LOCKED")

    broker = FakeBroker()
    broker.answers["queue_declare"] = locked
    ((verdict, text),) = of_replicas(tmp_path, monkeypatch, broker)
    assert (verdict, text) == (Verdict.WRONG, "same_device_name: another replica calls itself 'den'")
    lock = FolderLock(tmp_path)
    lock.acquire()
    ((verdict, text),) = of_replicas(tmp_path, monkeypatch, broker)
    lock.release()
    assert (verdict, text.endswith("this service is one of them")) == (Verdict.OK, True)


def test_a_right_that_a_replica_lacks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ChannelClosedByBroker(403, "ACCESS_REFUSED")

    broker = FakeBroker()
    broker.answers["basic_publish"] = refuse
    ((verdict, text),) = of_replicas(tmp_path, monkeypatch, broker)
    assert (verdict, text.split(":")[0]) == (Verdict.WRONG, "access_refused")


def test_a_queue_that_nobody_reads_any_more_is_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = FakeBroker()
    broker.ready = 7
    _, (verdict, text) = of_replicas(tmp_path, monkeypatch, broker, REPLICAS_GROUP="home")
    assert verdict is Verdict.WARNING
    assert text == "snapshot-processor.snapshot.triggers still gets triggers, 7 wait there, and no replica reads it"
