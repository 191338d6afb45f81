"""Uploading past the service, straight to a bucket, from which the picture comes back as an event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.aws import LOGIN, Aws
from tests.browser.conftest import CallOn, on_a_desktop
from tests.browser.house import house
from tests.browser.visit import Visit
from tests.e2e.process import ServiceProcess

pytestmark = on_a_desktop

BUCKET = "uploads-of-the-album"


@pytest.fixture(scope="module")
def bucketed(tmp_path_factory: pytest.TempPathFactory, aws: Aws) -> Iterator[ServiceProcess]:
    """A house whose uploads go to that bucket, and come back from there by a queue."""
    aws.bucket(BUCKET)
    queue = aws.queue(BUCKET)
    aws.announce(BUCKET, queue)
    settings = {
        **LOGIN,
        "AWS_ENDPOINT_URL": aws.url,
        "WEB_UPLOAD_BUCKET_BUCKET": BUCKET,
        "SOURCE_1_KIND": "sqs",
        "SOURCE_1_QUEUE_URL": queue,
        "SOURCE_1_BUCKETS": f"{BUCKET}/uploads/",
    }
    with house(tmp_path_factory.mktemp("bucketed"), [], settings) as service:
        yield service


@pytest.fixture
def uploading(call_on: CallOn, bucketed: ServiceProcess) -> Visit:
    return call_on(bucketed)


def choose(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files(files)
    page.locator("[data-send]").click()


def test_a_picture_goes_to_the_bucket_and_comes_back_into_the_album(uploading: Visit, aws: Aws, drawn: Path) -> None:
    page, s3 = uploading.go("/upload"), aws.client("s3")
    uploading.expect_complaint(f"another host was asked: .*/{BUCKET}")
    page.get_by_label("Camera").select_option(label="Garden")
    page.get_by_label("Note").fill("Päckchen 100 %")
    choose(page, drawn)
    page.get_by_role("link", name="It is in the album").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Garden")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Päckchen 100 %")
    (entry,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert entry["Key"].startswith("uploads/garden-camera/")
    assert entry["Key"].endswith("-drawn-by-hand.jpg")
    stored = s3.get_object(Bucket=BUCKET, Key=entry["Key"])
    assert (stored["Body"].read(), stored["ContentType"]) == (drawn.read_bytes(), "image/jpeg")


def test_what_the_service_cannot_use_says_so_in_its_row(uploading: Visit, tmp_path: Path) -> None:
    text = tmp_path / "letter.jpg"
    text.write_text("Dear all")
    page = uploading.go("/upload")
    uploading.expect_complaint(f"another host was asked: .*/{BUCKET}")
    choose(page, text)
    expect(page.locator(".file.is-bad")).to_contain_text("This is text, not a picture.")


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


def test_a_row_says_what_to_do_where_no_picture_can_come_of_it(uploading: Visit, drawn: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    streams: list[str] = []
    page = uploading.go("/upload")
    uploading.expect_complaint(f"another host was asked: .*/{BUCKET}")
    uploading.expect_complaint("status of 401")
    page.clock.install()
    page.on("response", lambda answer: streams.append(answer.url) if "/api/events" in answer.url else None)

    def keep(route: Route) -> None:
        assert streams, "the picture was sent before its event could be seen"
        route.fulfill(status=204, headers={"Access-Control-Allow-Origin": "*"})

    page.route(f"**/{BUCKET}*", keep)  # and tells nobody
    choose(page, drawn)
    row = page.locator(".file")
    expect(row).to_contain_text("It is in the bucket.")
    page.clock.fast_forward(61_000)
    expect(row).to_contain_text("has not come into the album yet")
    choose(page, empty)
    expect(row.last).to_contain_text("It is empty.")
    page.route("**/api/uploads/form", lambda route: route.fulfill(status=401, json={"error": "unauthorized: no"}))
    choose(page, drawn)
    expect(row.last).to_have_text("drawn by hand.jpgYou are logged out. Log in")
    expect(row.last.get_by_role("link", name="Log in")).to_have_attribute("href", uploading.page.url)
