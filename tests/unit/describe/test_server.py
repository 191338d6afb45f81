"""The server that describes pictures: what it is asked, what is kept of its answer, and how it fails."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.describe.server import LONGEST, MAX_ANSWER, DescribingServer
from app.describe.settings import DescribeSettings
from pylib.errors import Failure, Permanent, Transient
from tests.fakes.http_double import HttpDouble, Reply, http_double
from tests.fakes.pictures import encoded, scene
from tests.simulators.ai_server import ChatServer, json_reply

PICTURE = encoded(scene().resize((64, 36)))
KEY = "sk-wJalrXUtnFEMIK7MDENG"


@pytest.fixture(scope="module")
def running() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


def server(running: HttpDouble, chat: Callable[..., Reply], **changes: object) -> DescribingServer:
    running.answer = chat
    settings = {"url": f"{running.url}/v1", "model": "qwen2.5vl:7b", "timeout": 5.0, "api_key": KEY, **changes}
    return DescribingServer(DescribeSettings.model_validate(settings))


def failure(asked: Callable[[], object]) -> tuple[type[Failure], str]:
    """How it fails; never with the key in its words."""
    with pytest.raises(Failure) as caught:
        asked()
    assert KEY not in f"{caught.value!r}{caught.value}"
    return type(caught.value), caught.value.code


def saying(content: Any) -> Callable[..., Reply]:
    return lambda _: json_reply({"choices": [{"message": {"content": content}}]})


def test_it_is_asked_with_the_picture_and_the_settings(running: HttpDouble) -> None:
    chat = ChatServer(api_key=KEY)
    asked = server(running, chat, prompt="What is it?", language="German", max_tokens=33)
    assert asked.describe(PICTURE) == "A postman stands at the door with a parcel."
    (question,) = chat.asked
    assert ChatServer.picture(question).size == (64, 36)
    assert question["messages"][0]["content"][0]["text"] == "What is it? Answer in German."
    assert (question["model"], question["max_tokens"]) == ("qwen2.5vl:7b", 33)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("  A cat\n\n sits.\t", "A cat sits."),
        ("A \x1b[31mred\x1b[0m door\x00.", "A [31mred [0m door ."),
        ("\u202eA door.\u2066", "A door."),
        ("<think>The user wants</think>A dog.", "A dog."),
        ([{"type": "text", "text": "A dog"}, {"type": "image"}, {"type": "text", "text": "sits."}], "A dog sits."),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_what_it_says_is_kept_as_one_line(running: HttpDouble, said: object, kept: str) -> None:
    assert server(running, saying(said)).describe(PICTURE) == kept


def test_what_it_says_is_cut_at_a_word(running: HttpDouble) -> None:
    kept = server(running, saying("word " * 50_000)).describe(PICTURE)
    assert kept == "word " * 99 + "word…"
    assert len(kept) == LONGEST
    assert len(server(running, saying("x" * 5000)).describe(PICTURE)) == LONGEST


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (saying(""), (Permanent, "describe_nothing")),
        (saying("<think>and on and on"), (Permanent, "describe_nothing")),
        (saying(None), (Transient, "describe_wrong_server")),
        (saying(["hello"]), (Transient, "describe_wrong_server")),
        (saying({"a": 1}), (Transient, "describe_wrong_server")),
        (lambda _: json_reply("<html>"), (Transient, "describe_wrong_server")),
        (lambda _: json_reply("[" * 99_999), (Transient, "describe_wrong_server")),
        (lambda _: json_reply({"choices": []}), (Transient, "describe_wrong_server")),
        (saying("Hello." + " " * MAX_ANSWER), (Transient, "describe_wrong_server")),
        (lambda _: Reply(302, {"Location": "http://169.254.169.254/"}), (Transient, "describe_wrong_server")),
        (lambda _: Reply(0), (Transient, "describe_failed")),
        (ChatServer(api_key="another"), (Transient, "describe_login")),
        (ChatServer(model="another"), (Transient, "describe_model")),
        (ChatServer(status=429), (Transient, "describe_busy")),
        (ChatServer(status=503), (Transient, "describe_failed")),
        (ChatServer(status=400), (Permanent, "describe_refused")),
        (ChatServer(status=413), (Permanent, "describe_refused")),
    ],
)
def test_failures_are_told_apart(running: HttpDouble, answer: Callable[..., Reply], expected: object) -> None:
    asked = server(running, answer)
    assert failure(lambda: asked.describe(PICTURE)) == expected


def test_a_server_that_hangs_or_is_gone_is_left_in_time(running: HttpDouble) -> None:
    asked = server(running, ChatServer(), timeout=0.1)
    running.hold.clear()
    try:
        assert failure(lambda: asked.describe(PICTURE)) == (Transient, "describe_timeout")
    finally:
        running.hold.set()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = server(running, ChatServer(), url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        assert failure(lambda: gone.describe(PICTURE)) == (Transient, "describe_unreachable")


def test_a_check_finds_what_is_wrong_and_sends_no_picture(running: HttpDouble) -> None:
    chat = ChatServer(api_key=KEY)
    assert server(running, chat).check() == f"qwen2.5vl:7b at {running.url}/v1"
    with pytest.raises(Transient, match=r"describe_model: .* has no model 'qwen2.5vl'.*qwen2.5vl:7b"):
        server(running, chat, model="qwen2.5vl").check()
    braces = server(running, ChatServer(model="llava{x}"), model="llava")
    with pytest.raises(Transient, match=r"has no model 'llava'.*llava\{x\}"):
        braces.check()
    assert failure(server(running, ChatServer(api_key="another")).check) == (Transient, "describe_login")
    assert failure(server(running, chat, url=running.url).check) == (Transient, "describe_wrong_server")
    assert chat.asked == []


def test_a_server_without_a_model_is_no_setting() -> None:
    with pytest.raises(ValueError, match="model is missing"):
        DescribeSettings(url="http://h/v1")
