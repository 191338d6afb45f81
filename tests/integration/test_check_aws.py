"""`check` against moto's server: what is not there, elsewhere or forbidden is found before the start."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from app.cli.check import Finding, Verdict, check
from app.config.settings import load
from tests.aws import ACCOUNT, LOGIN, REGION, Aws
from tests.fakes.http_double import Reply, Seen, http_double

POLICY = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}]}


@pytest.fixture(autouse=True)
def login(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**LOGIN, "AWS_ENDPOINT_URL": aws.url}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def queue_url(name: str) -> str:
    """As AWS has it, which moto's server takes as well."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def checked(folder: Path, **config: Any) -> list[Finding]:
    file = folder / "config.yml"
    file.write_text(json.dumps({"detector": {"kind": "none"}, "data_dir": str(folder / "data"), **config}))
    return list(check(load(file, {})))


def of_source(folder: Path, queue: str, bucket: str, **settings: Any) -> list[Finding]:
    entry = {"kind": "sqs", "queue_url": queue, "buckets": [{"bucket": bucket}], **settings}
    return [finding for finding in checked(folder, sources=[entry]) if finding.subject == "source sqs"]


def test_a_queue_and_a_bucket_that_are_there_are_well_and_nothing_is_received(
    aws: Aws, name: str, tmp_path: Path
) -> None:
    aws.bucket(name)
    aws.client("sqs").send_message(QueueUrl=aws.queue(name, Policy=json.dumps(POLICY)), MessageBody="left alone")
    queue, bucket = of_source(tmp_path, queue_url(name), name)
    assert (queue.verdict, queue.text) == (Verdict.OK, f"queue {name}, 1 message(s) waiting")
    assert (bucket.verdict, bucket.text) == (Verdict.OK, f"{name}/ can be listed, and is empty")
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue_url(name), AttributeNames=["All"])["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"  # ours


def test_a_queue_that_aws_may_not_send_to_is_a_warning(aws: Aws, name: str, tmp_path: Path) -> None:
    aws.bucket(name)
    aws.queue(name)
    queue, _ = of_source(tmp_path, queue_url(name), name)
    assert (queue.verdict, "lets no service of AWS send to it" in queue.text) == (Verdict.WARNING, True)
    assert "sqs:SendMessage" in queue.remedy


def test_a_queue_that_is_not_there_or_in_another_region_is_wrong(aws: Aws, name: str, tmp_path: Path) -> None:
    aws.bucket(name)
    aws.queue(name)
    for url in (queue_url(f"{name}-not-made"), queue_url(name).replace(REGION, "us-west-2")):
        (missing,) = of_source(tmp_path, url, name)
        queue = url.rpartition("/")[2]
        assert (missing.verdict, missing.text.startswith(f"not_found: queue {queue}: ")) == (Verdict.WRONG, True)
        assert "queue_url" in missing.remedy
        assert "region" in missing.remedy


def test_a_bucket_and_dead_letters_that_are_not_there_are_wrong(aws: Aws, name: str, tmp_path: Path) -> None:
    aws.queue(name, Policy=json.dumps(POLICY))
    _, bucket = of_source(tmp_path, queue_url(name), name)
    assert (bucket.verdict, bucket.text.partition(":")[0]) == (Verdict.WRONG, "no_such_bucket")
    (letters,) = of_source(tmp_path, queue_url(name), name, dead_letter_queue=queue_url(f"{name}-letters"))
    assert (letters.verdict, letters.text.startswith(f"not_found: queue {name}-letters: ")) == (Verdict.WRONG, True)


@pytest.mark.parametrize("action", ["GetQueueAttributes", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"])
def test_a_permission_that_is_missing_is_named(action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(seen: Seen) -> Reply:
        if seen.headers["X-Amz-Target"] == f"AmazonSQS.{action}":
            return Reply(403, body=[b'{"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "no"}'])
        if "GetQueueAttributes" in seen.headers["X-Amz-Target"]:
            return Reply(200, body=[b'{"Attributes": {}}'])
        return Reply(400, body=[b'{"__type": "com.amazonaws.sqs#InvalidParameterValueException", "message": "odd"}'])

    with http_double() as double:
        double.answer = answer
        monkeypatch.setenv("AWS_ENDPOINT_URL", double.url)
        (denied,) = of_source(tmp_path, queue_url("pictures"), "home")
    assert denied.verdict is Verdict.WRONG
    assert f"grant it sqs:{action}, or all that `snapshot-processor iam` prints" in denied.text


def test_outlets_are_asked_whether_what_they_write_to_is_there(aws: Aws, name: str, tmp_path: Path) -> None:
    topic = aws.client("sns").create_topic(Name=name)["TopicArn"]
    aws.bucket(name)
    entries = [
        {"kind": "sns", "topic_arn": topic},
        {"kind": "sns", "name": "gone", "topic_arn": f"{topic}-gone"},
        {"kind": "thumbnails", "bucket": name},
        {"kind": "thumbnails", "name": "lost", "bucket": f"{name}-gone"},
        {"kind": "dynamodb", "table": name, "make_table": True},
        {"kind": "dynamodb", "name": "none", "table": name},
    ]
    said = {finding.subject.removeprefix("publisher "): finding for finding in checked(tmp_path, publishers=entries)}
    said_kind = {entry.get("name", entry["kind"]): entry["kind"] for entry in entries}
    verdicts = {entry.get("name", entry["kind"]): said[entry.get("name", entry["kind"])].verdict for entry in entries}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.OK} == {"sns", "thumbnails", "dynamodb"}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.WRONG} == {"gone", "lost", "none"}
    assert said["sns"].text == f"topic {name}"
    assert said["gone"].text.startswith("target_gone")
    assert said["lost"].text.startswith(f"not_found: bucket {name}-gone: ")
    for one in ("gone", "lost", "none"):
        own = import_module(f"app.publishers.{said_kind[one]}").CODES
        assert said[one].remedy == own[said[one].text.partition(":")[0]][1]


def of_form(folder: Path, bucket: str, prefix: str = "uploads/", *, megabytes: float = 25) -> list[Finding]:
    watched = {"kind": "sqs", "queue_url": queue_url("any"), "buckets": [{"bucket": "home", "prefix": prefix}]}
    web = {"upload_bucket": {"bucket": bucket}, "max_upload_mb": megabytes}
    return [one for one in checked(folder, sources=[watched], web=web) if one.subject == "upload form"]


def test_the_bucket_of_the_upload_form_is_looked_at_and_whether_its_pictures_would_come(
    aws: Aws, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.bucket("home")
    assert of_form(tmp_path, "home") == [Finding("upload form", Verdict.OK, "bucket home")]
    (_, stays) = of_form(tmp_path, "home", "uploads/garden/")
    assert (stays.verdict, "no source brings in what is in home/uploads/" in stays.text) == (Verdict.WARNING, True)
    (_, large) = of_form(tmp_path, "home", "", megabytes=60)
    assert (large.verdict, "pictures of 50 to 60 MB" in large.text) == (Verdict.WARNING, True)
    (missing, _) = of_form(tmp_path, name)
    assert (missing.verdict, missing.text.startswith(f"not_found: bucket {name}: ")) == (Verdict.WRONG, True)
    with http_double() as double:
        double.answer = lambda _seen: Reply(403)
        monkeypatch.setenv("AWS_ENDPOINT_URL", double.url)
        (denied,) = of_form(tmp_path, "home")
    assert (denied.verdict, "may not list it, which uploads do not need" in denied.text) == (Verdict.WARNING, True)
