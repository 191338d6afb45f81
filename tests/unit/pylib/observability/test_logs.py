"""Logs: what an operator finds on stderr, whoever wrote it and whatever it holds."""

from __future__ import annotations

import json
import logging
import os
import pty
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
import requests
import structlog

from pylib.observability import logs
from tests.fakes.http_double import http_double
from tests.fakes.logging_state import restored_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored_logging():
        yield


def configured(level: str = "info", form: logs.Format = "json") -> Any:
    logs.configure(level=level, format=form)
    return structlog.get_logger("app.test")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def run(code: str, stderr: int = subprocess.PIPE, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **variables}
    return subprocess.run([sys.executable, "-c", code], stderr=stderr, text=True, timeout=30, check=True, env=env)


def test_importing_changes_nothing() -> None:
    code = (
        "import sys, threading, logging; hooks = sys.excepthook, threading.excepthook\n"
        "import pylib.observability.logs, pylib.observability.sentry, pylib.observability.metrics, structlog\n"
        "import pylib.observability.health, pylib.runtime.periodic\n"
        "assert (sys.excepthook, threading.excepthook) == hooks and not structlog.is_configured()\n"
        "assert not logging.getLogger().handlers and threading.active_count() == 1\n"
        "assert 'sentry_sdk' not in sys.modules\n"
    )
    assert run(code).stderr == ""


def test_a_json_line_is_one_object_with_a_utc_time_stamp(capsys: pytest.CaptureFixture[str]) -> None:
    configured().warning("camera refused", camera="Garagentür", reason="timeout", tries=3)
    (line,) = lines(capsys)
    stamp = datetime.fromisoformat(line.pop("timestamp"))
    assert stamp.tzinfo == UTC
    assert abs((datetime.now(UTC) - stamp).total_seconds()) < 60
    assert line == {
        "level": "warning",
        "logger": "app.test",
        "event": "camera refused",
        "camera": "Garagentür",
        "reason": "timeout",
        "tries": 3,
    }


def test_a_librarys_line_looks_like_ours(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    logging.getLogger("some.library").warning("disk %s is %d%% full", "sda", 97)
    (line,) = lines(capsys)
    assert (line["logger"], line["level"], line["event"]) == (
        "some.library",
        "warning",
        "disk sda is 97% full",
    )


def test_a_warning_of_python_itself_comes_as_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", stacklevel=1)
    (line,) = lines(capsys)
    assert "old ways" in line["event"]


def test_an_exception_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    log = configured()
    try:
        int("broken")
    except ValueError:
        log.exception("stage failed", stage="detect")
    (line,) = lines(capsys)
    assert line["level"] == "error"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: invalid literal for int() with base 10: 'broken'")


def fail_twice(url: str) -> None:
    try:
        Path(f"/no route to {url}").read_bytes()
    except OSError as error:
        raise RuntimeError("password=hunter2") from error


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_credential_and_no_picture_gets_into_a_line(form: logs.Format, capsys: pytest.CaptureFixture[str]) -> None:
    log = configured(form=form)
    url = "http://admin:hunter2@10.0.0.1/cgi?usr=admin&pwd=hunter2"
    log.info("asked", url=url, password="hunter2", camera={"device_params": "admin:hunter2@10.0.0.1:88"})
    log.info("got a picture", image=b"\xff\xd8\xff" * 1000)
    logging.getLogger("library").warning("cannot open %s", url)
    try:
        fail_twice(url)
    except RuntimeError:
        log.exception("failed")
    text = capsys.readouterr().err
    assert "asked" in text
    assert "<3000 bytes>" in text
    assert "RuntimeError" in text
    assert "hunter2" not in text
    assert "xff" not in text


def test_a_pipe_gets_json_and_a_terminal_gets_colours() -> None:
    code = (
        "from pylib.observability import logs; import os, structlog\n"
        "for name, form, no_color in {!r}:\n"
        "    os.environ['NO_COLOR'] = no_color\n"
        "    logs.configure(level='info', format=form)\n"
        "    structlog.get_logger('x').info(name, camera='Front Door')"
    )
    piped, console = run(code.format([("json", "auto", ""), ("text", "console", "")])).stderr.splitlines()
    assert json.loads(piped)["event"] == "json"
    assert "text" in console
    assert "\x1b" not in console
    master, slave = pty.openpty()
    try:
        run(code.format([("coloured", "auto", ""), ("plain", "auto", "1")]), stderr=slave)
        coloured, plain = os.read(master, 10_000).decode().splitlines()
    finally:
        os.close(master)
        os.close(slave)
    assert ("coloured" in coloured, "\x1b[" in coloured) == (True, True)
    assert ("plain" in plain, "\x1b[" in plain) == (True, False)


def test_people_read_local_time() -> None:
    code = (
        "from pylib.observability import logs; import structlog\n"
        "logs.configure(level='info', format='console'); structlog.get_logger('x').info('hello')"
    )
    shown = datetime.strptime(run(code, TZ="Home-5").stderr[:19], "%Y-%m-%d %H:%M:%S").replace(
        tzinfo=timezone(timedelta(hours=5))
    )
    assert abs((datetime.now(UTC) - shown).total_seconds()) < 60


def test_a_remote_name_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configured(form="console").warning("unknown camera", camera="x\n2026-01-01 [info] all is well", key="\x1b[2J")
    logging.getLogger("library").warning("got %s", "x\n2026-01-01 [info] all is well\x1b[2J")
    text = capsys.readouterr().err
    assert text.count("\n") == 2
    assert "\x1b" not in text


class Unprintable:
    asked = 0

    def __str__(self) -> str:
        Unprintable.asked += 1
        raise RuntimeError("no")

    __repr__ = __str__


def test_a_log_call_never_raises(capsys: pytest.CaptureFixture[str]) -> None:
    log = configured()
    log.info("unprintable", thing=Unprintable(), nested={"a": [Unprintable()]})
    log.info("%s of %s", 1)
    log.info("named like ours", event="x", level="y", timestamp=1, logger="z", method_name="m", self="s")
    log.info(Unprintable())
    log.info("100 %")
    told = lines(capsys)
    events = [line["event"] for line in told]
    assert events[:3] == ["unprintable", "%s of %s (1,)", "named like ours"]
    assert (told[2]["event_"], told[2]["level_"], told[2]["timestamp_"], told[2]["logger_"]) == ("x", "y", 1, "z")
    assert events[-1] == "100 %"


def test_a_log_call_survives_a_closed_stderr() -> None:
    code = (
        "from pylib.observability import logs; import structlog, os, sys\n"
        "logs.configure(level='info', format='json'); os.close(2); structlog.get_logger('x').error('hello')\n"
        "sys.stderr = None; structlog.get_logger('x').error('hello')"
    )
    run(code)


def test_what_is_below_the_level_is_not_even_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    Unprintable.asked = 0
    configured("warning").info("x %s", Unprintable(), thing=Unprintable())
    assert capsys.readouterr().err == ""
    assert Unprintable.asked == 0


def test_configuring_again_changes_the_level_of_loggers_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    log = configured("error")
    log.info("first")
    logs.configure(level="info", format="json")
    log.info("second")
    assert [line["event"] for line in lines(capsys)] == ["second"]


def refused() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))


def test_pika_says_nothing_of_a_refused_connection(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    refused()
    assert capsys.readouterr().err == ""


def test_pika_may_be_listened_to_when_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    configured("debug")
    refused()
    assert any(line["level"] == "error" for line in lines(capsys))


def test_urllib3_never_tells_the_addresses_it_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    configured("debug")
    with http_double() as double:
        requests.get(f"{double.url}/the-key", timeout=5)
    assert "the-key" not in capsys.readouterr().err


def test_what_kills_a_thread_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configured()

    def work() -> None:
        raise ValueError("http://u:hunter2@h/")

    thread = threading.Thread(target=work, name="watchdog-1")
    thread.start()
    thread.join()
    (line,) = lines(capsys)
    assert line["level"] == "critical"
    assert "watchdog-1" in line["event"]
    assert "ValueError: http://***@h/" in line["exception"]


@pytest.mark.parametrize(("error", "told"), [("ValueError('http://u:hunter2@h/')", 1), ("KeyboardInterrupt", 0)])
def test_what_kills_the_process_is_a_line_and_ctrl_c_is_none(error: str, told: int) -> None:
    code = f"from pylib.observability import logs; logs.configure(level='info', format='json'); raise {error}"
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    found = [line for line in done.stderr.splitlines() if line.startswith("{") and "uncaught exception" in line]
    assert len(found) == told
    assert "hunter2" not in done.stderr


def test_a_thread_that_ends_itself_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    assert lines(capsys) == []


def test_an_exception_from_elsewhere_can_be_handed_over(capsys: pytest.CaptureFixture[str]) -> None:
    configured().error("stage failed", exc_info=ValueError("broken"))
    (line,) = lines(capsys)
    assert "ValueError: broken" in line["exception"]


def test_another_syslog_takes_the_place_of_the_first(tmp_path: Path) -> None:
    logs.configure(level="info", format="json", syslog=str(tmp_path / "socket"))
    (first,) = (thread for thread in threading.enumerate() if thread.name == "syslog")
    logs.configure(level="info", format="json")
    first.join(10)
    assert not first.is_alive()


@pytest.mark.parametrize(
    "wrong", [{"level": "loud"}, {"syslog": "ftp://x"}, {"syslog": "udp://"}, {"syslog": "udp://h:x"}]
)
def test_a_wrong_setting_is_a_value_error_with_a_way_out(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"debug, info|udp://host:514"):
        logs.configure(**{"level": "info", "format": "json", **wrong})  # type: ignore[arg-type]


def test_lines_that_were_only_counted_are_told_at_the_end() -> None:
    code = (
        "from pylib.observability import logs; import structlog\n"
        "logs.configure(level='info', format='json')\n"
        "for _ in range(62): structlog.get_logger('x').warning('silent', camera='yard')"
    )
    told = run(code).stderr.splitlines()
    assert json.loads(told[-1])["event"] == "silent: yard (and 2 more in the last minute)"
