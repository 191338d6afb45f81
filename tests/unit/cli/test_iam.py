"""What `iam` prints: what the configured parts need in AWS, and nothing that they do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app import publishers
from app.cli.main import main
from app.publishers.rabbitmq import RabbitMQ
from pylib.aws.policy import Statement


class Table(RabbitMQ):
    """A publisher that would call AWS."""

    @staticmethod
    def permissions(settings: Any) -> Sequence[Statement]:
        return (Statement(("dynamodb:PutItem",), (f"arn:aws:dynamodb:*:*:table/{settings.exchange}",)),)


def iam(tmp_path: Path, config: str, *options: str) -> Result:
    file = tmp_path / "config.yml"
    file.write_text(config)
    return CliRunner().invoke(main, ["--config", str(file), "iam", *options])


TABLE = {"Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": ["arn:aws:dynamodb:*:*:table/events"]}
UPLOADS = "web: {public_url: https://home.example/album, upload_bucket: {bucket: home, prefix: in/here}}\n"
FORM = {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::home/in/here/*"]}
COPY = "google_drive: {folder: Home}\nbackup_s3_bucket: home\n"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> str:
    """The configuration of a table."""
    monkeypatch.setitem(publishers.KINDS, "rabbitmq", f"{__name__}:Table")
    return "detector: {kind: none}\nrabbitmq: {server_address: mq, exchange: events}\n"


def test_a_configuration_without_aws_gets_one_sentence_instead_of_a_policy(tmp_path: Path) -> None:
    said = iam(tmp_path, "detector: {kind: none}\narchive: {dir: kept}\n")
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == "Error: nothing that is configured calls AWS, so no policy is needed\n"


def test_all_that_calls_aws_is_in_one_policy_and_nothing_else(tmp_path: Path, table: str) -> None:
    said = iam(tmp_path, table + UPLOADS)
    assert json.loads(said.stdout) == {"Version": "2012-10-17", "Statement": [TABLE, FORM]}


def test_statements_of_several_parts_on_the_same_thing_are_one(tmp_path: Path, table: str) -> None:
    config = table + COPY + "web: {upload_bucket: {bucket: home, prefix: snapshot-processor}}\n"
    statements = json.loads(iam(tmp_path, config).stdout)["Statement"]
    assert [(one["Action"], one["Resource"]) for one in statements] == [
        (["dynamodb:PutItem"], TABLE["Resource"]),
        (["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::home/snapshot-processor/*"]),
        (["s3:ListBucket"], ["arn:aws:s3:::home"]),
    ]


def test_each_part_by_itself(tmp_path: Path, table: str) -> None:
    parts = json.loads(iam(tmp_path, table + COPY + UPLOADS, "--by-part").stdout)
    assert list(parts) == ["publisher rabbitmq", "copy of Google Drive's token", "upload form"]
    assert parts["upload form"] == {"Version": "2012-10-17", "Statement": [FORM]}


def test_the_form_s_bucket_has_to_know_the_album_s_origin(tmp_path: Path) -> None:
    (rule,) = json.loads(iam(tmp_path, UPLOADS, "--cors").stdout)["CORSRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["https://home.example"], ["POST"])
    (rule,) = json.loads(iam(tmp_path, "web: {port: 81, upload_bucket: {bucket: uploads}}", "--cors").stdout)[
        "CORSRules"
    ]
    assert rule["AllowedOrigins"] == ["http://127.0.0.1:81"]
    said = iam(tmp_path, "web: {port: 81}", "--cors")
    assert (said.exit_code, said.stderr.count("web.upload_bucket.bucket is not set")) == (1, 1)
