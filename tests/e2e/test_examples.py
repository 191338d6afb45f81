"""The ready configurations, each run as it stands; only the addresses are those of doubles."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from PIL import Image

from app.bootstrap.adapters import drawn_person
from tests.aws import LOGIN, Aws, arn
from tests.broker import free_ports
from tests.e2e.conftest import Launch
from tests.e2e.pictures import jpeg
from tests.e2e.process import PROJECT, ServiceProcess, until
from tests.fakes.http_double import Reply, Seen, http_double
from tests.mosquitto import Mosquitto, peer

EXAMPLES = PROJECT / "examples"


def started(launch: Launch, example: str, environment: dict[str, str]) -> ServiceProcess:
    """A service with this example's very file."""
    service = launch(environment={"DETECTOR_KIND": "", **environment})
    return service.start("--config", str(EXAMPLES / example / "config.yml"), "run").wait_ready()


def in_aws(aws: Aws) -> dict[str, str]:
    return {**LOGIN, "AWS_ENDPOINT_URL": aws.url}


@contextmanager
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """A mail server's port, and the mails that it has got."""
    mails: list[str] = []

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
            mails.append((envelope.original_content or b"").decode())
            return "250 kept"

    (port,) = free_ports(1)
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port, mails
    controller.stop()


def test_thumbnails_a_picture_in_the_bucket_becomes_a_thumbnail_a_message_and_a_mail_with_a_link(
    aws: Aws, launch: Launch
) -> None:
    s3, sqs, sns = (aws.client(service) for service in ("s3", "sqs", "sns"))
    pictures, thumbnails = aws.bucket("home-pictures"), aws.bucket("home-thumbnails")
    aws.announce(pictures, aws.queue("pictures"))
    heard = aws.queue("heard-of-pictures")
    topic = sns.create_topic(Name="pictures")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", heard))
    with mailbox() as (port, mails):
        mail = f"mailto://127.0.0.1:{port}/?from=cam@home.example&to=you@home.example"
        started(launch, "thumbnails", {**in_aws(aws), "PUBLISHER_1_NAME": "mail", "PUBLISHER_1_URL": mail})
        s3.put_object(Bucket=pictures, Key="Tür 1.jpg", Body=jpeg())

        (entry,) = until(lambda: s3.list_objects_v2(Bucket=thumbnails).get("Contents"), what="the thumbnail")
        assert entry["Key"] == "thumbnail_Tür 1.jpg"
        small = s3.get_object(Bucket=thumbnails, Key=entry["Key"])["Body"].read()
        with Image.open(io.BytesIO(small)) as image:
            assert max(image.size) == 64
        (message,) = until(lambda: sqs.receive_message(QueueUrl=heard).get("Messages"), what="the message")
        link = re.search(r"http://\S+", json.loads(message["Body"])["Message"])
        assert link is not None
        assert requests.get(link[0], timeout=30).content == small
        until(lambda: mails, what="the mail")
        assert "thumbnail_T" in mails[0]


def test_recognition_an_uploaded_picture_comes_back_from_the_bucket_into_album_and_table(
    aws: Aws, launch: Launch
) -> None:
    bucket = aws.bucket("home-uploads")
    aws.announce(bucket, aws.queue("uploads"))
    service = started(launch, "recognition", in_aws(aws))
    asked = {"note": "Päckchen", "name": "at the door.jpg", "type": "image/jpeg", "size": len(jpeg())}
    form = service.http("POST", "/api/uploads/form", json=asked).json()
    files = {"file": ("at the door.jpg", jpeg(), "image/jpeg")}
    assert requests.post(form["url"], data=form["fields"], files=files, timeout=30).status_code == 204

    def seen() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = service.http("GET", "/api/snapshots").json()["snapshots"]
        return found

    (snapshot,) = until(seen, what="it is in the album")
    assert (snapshot["object_key"], snapshot["problem"]) == (form["object_key"], "")
    assert (snapshot["device_key"], snapshot["note"]) == ("Phone Camera", "Päckchen")
    assert snapshot["labels"][0]["name"]

    def rows() -> list[Any]:
        answer = aws.client("dynamodb").scan(TableName="snapshots") if table_is_there(aws) else {}
        return list(answer.get("Items", ()))

    (row,) = until(rows, what="the row")
    assert (row["id"]["S"], row["object_key"]["S"]) == (snapshot["event_id"], form["object_key"])
    assert row["labels"]["L"][0]["M"]["name"]["S"] == snapshot["labels"][0]["name"]


def table_is_there(aws: Aws) -> bool:
    return "snapshots" in aws.client("dynamodb").list_tables()["TableNames"]


@pytest.fixture
def mosquitto() -> Iterator[Mosquitto]:
    with Mosquitto() as one:
        yield one


def midday() -> str:
    """A time zone in which it is midday, far from quiet hours."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def test_home_an_open_door_becomes_a_message_an_event_and_a_kept_picture(
    launch: Launch, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with http_double() as double, peer(mosquitto.port) as assistant:
        picture = drawn_person()

        def answer(seen: Seen) -> Reply:
            if seen.method == "GET":
                return Reply(headers={"Content-Type": "image/jpeg"}, body=[picture])
            return Reply(body=[b"{}"])

        double.answer = answer
        data_dir, archive = tmp_path / "data", tmp_path / "archive"
        data_dir.mkdir(mode=0o700)
        shutil.copy(EXAMPLES / "home/rules.yml", data_dir / "rules.yml")
        host = double.url.removeprefix("http://")
        environment = {
            "DATA_DIR": str(data_dir),
            "ARCHIVE_DIR": str(archive),
            "TIME_ZONE": midday(),
            "MQTT_SERVER_ADDRESS": mosquitto.address,
            "OUTPUT_1_TYPE": "Camera",
            "OUTPUT_1_LOCATION": "Front Door",
            "OUTPUT_1_URL": f"{double.url}/picture",
            "OUTPUT_2_TYPE": "Camera",
            "OUTPUT_2_LOCATION": "Garden",
            "OUTPUT_2_ADDRESS": host,
            "OUTPUT_2_PASSWORD": "secret",
            "PUBLISHER_1_NAME": "phone",
            "PUBLISHER_1_URL": f"ntfy://{host}/home",
        }
        service = started(launch, "home", environment)
        assert service.check("rules")["ok"], service.check("rules")
        assistant.wait(lambda: assistant.last("snapshots/status") == b"online", what="it is there")
        until(lambda: service.check("triggers from mqtt")["ok"], what="sensors are heard")
        assistant.say("zigbee2mqtt/front-door", json.dumps({"contact": False}))
        assistant.wait(lambda: assistant.last("snapshots/front-door-camera/event"), what="the event")
        event = json.loads(assistant.last("snapshots/front-door-camera/event") or b"")
        assert (event["person_count"], event["problem"]) == (1, "")
        until(lambda: [seen for seen in double.seen if seen.method in ("POST", "PUT")], what="the message")
        until(lambda: list(archive.rglob(f"*{event['event_id']}.jpg")), what="the archived picture")


@pytest.mark.long
def test_the_demo_of_thumbnails_shows_its_first_picture_and_ends_with_ctrl_c(launch: Launch) -> None:
    demo = launch(environment={"LOG_FORMAT": "console"})
    demo.start("demo", "thumbnails")
    until(lambda: re.search(r"(?m)^[\d:]{8}  mail ", demo.log), timeout=100, what="the mail")
    assert re.search(r"(?m)^[\d:]{8}  bucket +s3://home-pictures/somebody at the door.jpg$", demo.log)
    link = re.search(r"http://\S+/home-thumbnails/thumbnail_\S+", demo.log)
    assert link is not None
    assert requests.get(link[0], timeout=30).headers["Content-Type"] == "image/jpeg"
    demo.signal(signal.SIGINT)
    assert demo.wait() == 0
    assert "Traceback" not in demo.log
    assert not (demo.home / "demo-pictures").exists()
    assert list((demo.home / "demo-mails").glob("*.eml"))
