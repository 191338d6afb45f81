"""The demo of thumbnails: every picture in its folder is sent, and nothing of its user's leads it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli.thumbnails_demo import EXAMPLE, Show, SyncedFolder, demo_environment
from app.config.settings import Settings, load


class Bucket:
    """Takes all objects but those of one name."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803 - boto3's names
        if "refused" in Key:
            raise ValueError("the key is too long")
        self.sent.append((Key, ContentType))


def test_every_picture_in_every_folder_is_sent_once_and_what_cannot_be_holds_up_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("big photo.jpeg", "a.HEIF", "b.jfif", "in/deep/c.png", "x.jpg/d.webp", "a refused.jpg", "letter.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"picture")
    for hidden in (".part.jpg", ".trash/e.jpg"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_bytes(b"picture")
    bucket: Any = Bucket()
    folder = SyncedFolder(tmp_path, bucket="home", s3=bucket, show=Show(Settings()))
    for _ in range(3):
        folder.sync()
    assert sorted(bucket.sent) == [
        ("a.HEIF", "image/heic"),
        ("b.jfif", "image/jpeg"),
        ("big photo.jpeg", "image/jpeg"),
        ("in/deep/c.png", "image/png"),
        ("x.jpg/d.webp", "image/webp"),
    ]
    assert capsys.readouterr().out.count("not sent a refused.jpg: the key is too long") == 1


def test_what_leads_to_real_brokers_archives_and_outlets_is_not_taken_from_the_environment() -> None:
    own = {
        "RABBITMQ_SERVER_ADDRESS": "broker.example",
        "MQTT_SERVER_ADDRESS": "broker.example",
        "S3_BUCKET": "home",
        "PUBLISHER_4_KIND": "webhook",
        "SOURCE_2_KIND": "mqtt",
        "OUTPUT_1_TYPE": "Camera",
        "OUTPUT_1_LOCATION": "Garden",
        "SENTRY_DSN": "https://key@sentry.example/1",
        "WEB_UPLOAD_BUCKET_BUCKET": "home",
        "WEB_PORT": "8123",
    }
    settings = load(EXAMPLE, demo_environment(own, 2525))
    assert (settings.rabbitmq.server_address, settings.mqtt.server_address, settings.s3.bucket) == ("", "", "")
    assert [entry.title for entry in settings.publishers] == ["small", "topic", "mail"]
    assert (len(settings.sources), settings.cameras, settings.web.upload_bucket.bucket) == (1, (), "")
    assert not settings.sentry_dsn.get_secret_value()
    assert settings.web.port == 8123
