"""Sentry: errors arrive with what explains them, and without credentials, pictures or local variables."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
import structlog

from pylib.observability import logs, sentry
from tests.fakes.http_double import HttpDouble, http_double
from tests.fakes.logging_state import restored_logging

PASSWORD = "hunter2"
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 20
SMALL_PICTURE = PICTURE[:24]
FORMS = [
    PASSWORD,
    "JFIF",
    repr(PICTURE[:4])[2:-1],
    json.dumps(repr(PICTURE[:4])[2:-1])[1:-1],
    base64.b64encode(PICTURE[:9]).decode(),
    PICTURE.hex()[:20],
]


@pytest.fixture
def ingest() -> Iterator[HttpDouble]:
    """The endpoint that Sentry's SDK sends to, on loopback, and logging that leads there."""
    with restored_logging(), http_double() as double, sentry_sdk.isolation_scope():
        logs.configure(level="info", format="json")
        dsn = f"http://public@127.0.0.1:{double.port}/7"
        assert sentry.start(dsn, release="1.2.3", environment="test", server_name="garage")
        yield double
        double.hold.set()
        sentry_sdk.get_client().close(timeout=2)
        sentry_sdk.init()


def events(double: HttpDouble) -> list[dict[str, Any]]:
    sentry.flush(5)
    return [
        json.loads(line)
        for seen in double.seen
        for line in gzip.decompress(seen.body).split(b"\n")
        if line.startswith(b'{"') and b'"event_id"' in line and b'"platform"' in line
    ]


def fail_at_camera(password: str, picture: bytes) -> None:
    login = f"admin:{password}@10.0.0.1"
    raise ConnectionError(f"http://{login}/cgi?usr=admin&pwd={password} answered {picture!r}")


def log_the_worst() -> None:
    log = structlog.get_logger("app.cameras")
    log.info("asking", url=f"http://admin:{PASSWORD}@10.0.0.1/", picture=PICTURE)
    try:
        fail_at_camera(PASSWORD, PICTURE)
    except ConnectionError:
        log.exception(
            "camera failed",
            camera="Front Door Camera",
            device_params=f"admin:{PASSWORD}@10.0.0.1:88",
            settings={"nested": [{"password": PASSWORD}]},
            image=PICTURE,
            thumbnail=SMALL_PICTURE,
            encoded=base64.b64encode(PICTURE).decode(),
        )


def test_an_error_arrives_with_what_explains_it(ingest: HttpDouble) -> None:
    log_the_worst()
    (event,) = events(ingest)
    assert ingest.seen[0].path == "/api/7/envelope/"
    assert (event["release"], event["environment"], event["server_name"]) == ("1.2.3", "test", "garage")
    assert (event["level"], event["logger"]) == ("error", "app.cameras")
    assert event["logentry"]["message"] == "camera failed"
    assert event["extra"]["camera"] == "Front Door Camera"
    assert event["extra"]["image"] == f"<{len(PICTURE)} bytes>"
    (exception,) = event["exception"]["values"]
    assert exception["type"] == "ConnectionError"
    assert exception["value"].startswith("http://***@10.0.0.1/cgi?usr=***&pwd=*** answered")
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail_at_camera"
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]][-1] == "asking"


@pytest.mark.parametrize("form", FORMS)
def test_neither_password_nor_picture_is_sent_in_any_form(ingest: HttpDouble, form: str) -> None:
    log_the_worst()
    assert len(events(ingest)) == 1
    for seen in ingest.seen:
        assert form.encode() not in gzip.decompress(seen.body)


@pytest.mark.parametrize("form", FORMS)
def test_what_others_report_directly_is_scrubbed_too(ingest: HttpDouble, form: str) -> None:
    sentry_sdk.set_extra("answer", PICTURE)
    sentry_sdk.set_tag("login", f"http://admin:{PASSWORD}@10.0.0.1/")
    try:
        fail_at_camera(PASSWORD, SMALL_PICTURE)
    except ConnectionError as error:
        sentry_sdk.capture_exception(error, extras={"body": {"image": SMALL_PICTURE, "pwd": PASSWORD}})
    sent = events(ingest)
    assert len(sent) == 1
    assert form not in json.dumps(sent)


def test_local_variables_stay_here(ingest: HttpDouble) -> None:
    log_the_worst()
    (event,) = events(ingest)
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    assert frames
    assert not any(frame.get("vars") for frame in frames)


def test_a_warning_is_no_report_and_neither_is_the_transports_own_trouble(ingest: HttpDouble) -> None:
    structlog.get_logger("app").warning("camera slow")
    structlog.get_logger("pika.adapters").error("seven of these")
    structlog.get_logger("sentry_sdk.errors").error("cannot send")
    assert events(ingest) == []


def test_an_error_without_exception_is_reported_by_its_sentence(ingest: HttpDouble) -> None:
    structlog.get_logger("app").error("journal is not writable", path="/data/journal.db")
    (event,) = events(ingest)
    assert event["logentry"]["message"] == "journal is not writable"
    assert event["extra"] == {"path": "/data/journal.db"}


def test_started_again_it_still_reports_an_error_once_and_a_critical_one_as_fatal(ingest: HttpDouble) -> None:
    dsn = f"http://public@127.0.0.1:{ingest.port}/7"
    assert sentry.start(dsn, release="1.2.3", environment="test", server_name="garage")
    structlog.get_logger("app").critical("thread dies again and again")
    (event,) = events(ingest)
    assert event["level"] == "fatal"


@pytest.mark.timeout(30)
def test_an_endpoint_that_hangs_costs_the_flush_its_time_and_no_more(ingest: HttpDouble) -> None:
    ingest.hold.clear()
    for number in range(20):
        structlog.get_logger("app").error("hanging", number=number)
    sentry.flush(0.5)


def test_a_mistyped_dsn_is_logged_and_the_service_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with restored_logging():
        logs.configure(level="info", format="json")
        assert not sentry.start("https://secret-looking", release="1", environment="e", server_name="s")
    text = capsys.readouterr().err
    assert "dsn is not valid" in text
    assert "secret-looking" not in text


def test_without_a_dsn_the_sdk_is_not_even_imported() -> None:
    code = (
        "import sys; from pylib.observability import sentry\n"
        "assert not sentry.start('', release='1', environment='e', server_name='s')\n"
        "sentry.flush(5)\n"
        "assert 'sentry_sdk' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
