"""Redaction: no form of a credential or a picture gets through, and ordinary sentences stay as they are."""

from __future__ import annotations

import base64
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pylib.observability import redaction

PASSWORD = "hunter2-p@ss:w,o%rd"
PICTURE = bytes.fromhex("ffd8ffe000104a464946") + bytes(range(256)) * 8


@pytest.mark.parametrize(
    "text",
    [
        f"http://admin:{PASSWORD}@10.0.0.1:88/snap",
        f"connection to amqp://svc:{PASSWORD}@broker:5672/%2f lost",
        f"rtsp://admin:{PASSWORD}/more@10.0.0.1/stream",
        f"bad device_params admin:{PASSWORD}@10.0.0.1:88,554",
        f"'admin:{PASSWORD}@10.0.0.1'",
        f"url: /cgi-bin/CGIProxy.fcgi?cmd=snapPicture2&usr=admin&pwd={PASSWORD} (Caused by ...)",
        f"?user=admin&password={PASSWORD}&x=1",
        f"{{'host': 'x', 'password': '{PASSWORD}'}}",
        f'{{"pwd": "{PASSWORD}", "a": 1}}',
        f"FTP_PASS={PASSWORD}",
        f"secret = '{PASSWORD}'",
        f"AWS_SECRET_ACCESS_KEY={PASSWORD}",
        f"Authorization: Basic {PASSWORD}",
        f"{{'Authorization': 'Digest username=\"a\", response=\"{PASSWORD}\"'}}",
        f'while parsing\n  in "config.yml", line 3\n    password: {PASSWORD}\n    ^',
        f"https://{PASSWORD.replace(':', '')}@o1.ingest.example/1",
    ],
)
def test_a_credential_in_a_text_is_masked(text: str) -> None:
    assert "hunter2" not in redaction.text(text)
    assert "***" in redaction.text(text)


def test_a_bearer_token_is_masked() -> None:
    assert "abcdef" not in redaction.text("sent header bearer abcdef0123456789abcdef")


@pytest.mark.parametrize("name", ["user", "username", "login"])
def test_a_user_in_a_query_is_masked(name: str) -> None:
    assert redaction.text(f"GET /cgi?cmd=snap&{name}=carlotta&x=1") == f"GET /cgi?cmd=snap&{name}=***&x=1"


def test_the_rest_of_an_address_stays_readable() -> None:
    text = "GET http://admin:secret@10.0.0.1:88/cgi?cmd=snapPicture2&pwd=secret&x=1 failed"
    assert redaction.text(text) == "GET http://***@10.0.0.1:88/cgi?cmd=snapPicture2&pwd=***&x=1 failed"


@pytest.mark.parametrize(
    "text",
    [
        "snapshot taken",
        "camera login refused: check the password of Front Door Camera",
        "timeout: no answer within 10.0 s",
        "http://10.0.0.1:88/photos/a@b.jpg",
        "2026-03-29T01:30:00+00:00",
        "broker: not connected; disk: 0.1 GB free",
        "event.notify.snapshot.garage.image",
        "no route to amqp://broker:5672",
        "Basic authentication is not offered",
    ],
)
def test_an_ordinary_sentence_stays_as_it_is(text: str) -> None:
    assert redaction.text(text) == text


@pytest.mark.parametrize(
    "key",
    ["password", "FTP_PASS", "token", "client_secret", "device_params", "Authorization", "SENTRY_DSN", "pwd"],
)
def test_the_value_of_a_secret_field_is_masked_at_any_depth(key: str) -> None:
    masked = redaction.value({"outer": [{key: PASSWORD}]})
    assert masked == {"outer": [{key: "***"}]}


@pytest.mark.parametrize("key", ["camera", "passed", "author", "design", "key", "routing_key", "username"])
def test_the_value_of_an_ordinary_field_is_not(key: str) -> None:
    assert redaction.value({key: "x"}) == {key: "x"}


class Camera:
    """Something of ours that shows its address when it is printed."""

    def __str__(self) -> str:
        return f"camera at http://admin:{PASSWORD}@10.0.0.1"


@pytest.mark.parametrize(
    "item",
    [
        OSError(f"no answer of http://admin:{PASSWORD}@10.0.0.1"),
        Camera(),
        [f"http://admin:{PASSWORD}@10.0.0.1"],
        ({"reason": ValueError(f"pwd={PASSWORD}")},),
    ],
)
def test_whatever_stands_in_a_field_is_cleaned(item: object) -> None:
    shown = str(redaction.fields({"problem": item}))
    assert "hunter2" not in shown
    assert "***" in shown


def test_what_is_long_is_cut() -> None:
    assert len(redaction.text("a sentence. " * 3000)) < 17_000
    assert len(list(redaction.value([1] * 5000))) == 1000  # type: ignore[call-overload]
    assert len(redaction.fields({str(number): 1 for number in range(5000)})) == 1000


def test_that_a_secret_is_not_set_may_be_seen() -> None:
    shown = {"password": "", "token": None, "api_key": False}
    assert redaction.value(shown) == shown


def test_pictures_become_their_size() -> None:
    assert redaction.value({"image": PICTURE}) == {"image": f"<{len(PICTURE)} bytes>"}
    for form in (repr(PICTURE), base64.b64encode(PICTURE).decode(), f"bad image {PICTURE!r}"):
        assert len(redaction.text(form)) < 80


def test_everything_becomes_json_able_and_nothing_raises() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    items = [
        Path("/a"),
        datetime(2026, 1, 1, tzinfo=UTC),
        {1, 2},
        SecretStr(PASSWORD),
        Broken(),
        ValueError("x"),
    ]
    assert redaction.value(items) == [
        "/a",
        "2026-01-01 00:00:00+00:00",
        [1, 2],
        "**********",
        "<unprintable Broken>",
        "ValueError: x",
    ]


def test_what_contains_itself_comes_to_an_end() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert "..." in str(redaction.value(loop))


RAW = st.text(st.characters(blacklist_categories=("Z", "C"), blacklist_characters="\"'<>"), min_size=1, max_size=60)
"""Passwords as people choose them: any visible character but quotes and angle brackets."""


@given(RAW.filter(lambda password: not re.match(r"\d{1,5}[/?#]", password)))
def test_any_password_in_an_address_is_masked_whole(password: str) -> None:
    assert redaction.text(f"get http://admin:{password}@10.0.0.1:88/x") == "get http://***@10.0.0.1:88/x"


@pytest.mark.parametrize("piece", ["://x:", "a:b", "password=", "b'", "a.b-c", "?user=", "x", "\\x00", "@", " - pwd: "])
def test_a_hostile_text_of_many_megabytes_costs_little(piece: str) -> None:
    text = piece * (5_000_000 // len(piece)) + "@h"
    began = time.thread_time()
    assert len(redaction.text(text)) < 20_000
    assert time.thread_time() - began < 2
