"""Uploading past the service, straight to a bucket, from which the picture comes back as an event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from moto.server import ThreadedMotoServer
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenVisit
from tests.browser.house import house
from tests.browser.visit import Visit
from tests.e2e.process import ServiceProcess

LOGIN = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "whatever", "AWS_DEFAULT_REGION": "eu-central-1"}
BUCKET = "uploads-of-the-album"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of a server with a bucket in it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="someone",
        aws_secret_access_key="whatever",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    server.stop()


@pytest.fixture(scope="module")
def bucketed(tmp_path_factory: pytest.TempPathFactory, s3: Any) -> Iterator[ServiceProcess]:
    """A house whose uploads go to that bucket, which it lists."""
    settings = {
        **LOGIN,
        "AWS_ENDPOINT_URL": s3.meta.endpoint_url,
        "WEB_UPLOAD_BUCKET_BUCKET": BUCKET,
    }
    with house(tmp_path_factory.mktemp("bucketed"), [], **settings) as service:
        yield service


@pytest.fixture
def uploading(visit: OpenVisit, bucketed: ServiceProcess) -> Visit:
    return visit(bucketed)


def choose(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files(files)


def test_a_picture_goes_to_the_bucket_and_comes_back_into_the_album(uploading: Visit, s3: Any, drawn: Path) -> None:
    page = uploading.go("/upload")
    uploading.expect_complaint(f"another host was asked: .*/{BUCKET}")
    page.get_by_label("Camera").select_option(label="Garden")
    page.get_by_label("Note").fill("Päckchen 100 %")
    choose(page, drawn)
    expect(page.locator(".file")).to_contain_text("It is in the bucket")
    (entry,) = s3.list_objects_v2(Bucket=BUCKET, Prefix="uploads/garden-camera/")["Contents"]
    assert entry["Key"].endswith("-drawn-by-hand.jpg")
    stored = s3.get_object(Bucket=BUCKET, Key=entry["Key"])
    assert stored["Body"].read() == drawn.read_bytes()
    assert {name: unquote(value) for name, value in stored["Metadata"].items()} == {
        "camera": "Garden Camera",
        "note": "Päckchen 100 %",
    }
    assert stored["ContentType"] == "image/jpeg"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}, "AWS login may not write there"),
        (
            {"status": 403, "body": "<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>"},
            "It took too long",
        ),
        ({"status": 400, "body": "<Error><Code>EntityTooLarge</Code></Error>"}, "takes no picture that large"),
        ({"status": 502, "body": "oops"}, "The bucket refused it (502)."),
        (None, "its CORS rules leave this address out"),
    ],
)
def test_a_bucket_that_refuses_is_one_sentence_in_the_row(
    uploading: Visit, drawn: Path, answer: dict[str, Any] | None, sentence: str
) -> None:
    def refuse(route: Route) -> None:
        if answer is None:
            route.abort()
        else:
            route.fulfill(headers={"Access-Control-Allow-Origin": "*"}, **answer)

    page = uploading.go("/upload")
    uploading.expect_complaint(f"another host was asked: .*/{BUCKET}")
    uploading.expect_complaint(f"status of {answer['status']}" if answer else "ERR_FAILED")
    page.route(f"**/{BUCKET}*", refuse)
    choose(page, drawn)
    expect(page.locator(".file.is-bad")).to_contain_text(sentence)


def test_what_the_service_gives_no_form_for_is_one_sentence_too(uploading: Visit, tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear all")
    page = uploading.go("/upload")
    uploading.expect_complaint("status of 415")
    choose(page, text)
    expect(page.locator(".file.is-bad")).to_contain_text("Send a picture")
