"""Pictures that a command writes: bounded in time and bytes, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.cameras import CameraError
from app.cameras.address import Networks
from app.cameras.command import Command, CommandSettings


def camera(*argv: str, **settings: object) -> Command:
    values = {"location": "Attic", "argv": argv, **settings}
    return Command(CommandSettings.model_validate(values), networks=Networks())


def failure(one: Command) -> CameraError:
    with pytest.raises(CameraError) as caught:
        one.snapshot()
    assert "hush" not in repr(caught.value)
    return caught.value


def running(group: int) -> list[str]:
    """The states of this group's processes, without those that are dead and wait to be counted."""
    states = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, process_group = file.read_text().rpartition(")")[2].split()[:3]
            if int(process_group) == group and state != "Z":
                states.append(state)
    return states


def test_what_it_writes_is_the_picture(tmp_path: Path, picture: bytes) -> None:
    (tmp_path / "a picture; rm").write_bytes(picture)
    assert camera("cat", str(tmp_path / "a picture; rm")).snapshot("u:p@10.0.0.1").data == picture


def test_no_shell_reads_the_words() -> None:
    assert camera("printf", "%s", "$HOME `id` | cat").snapshot().data == b"$HOME `id` | cat"


def test_it_gets_none_of_the_service_s_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_PASSWORD", "hush")
    names = {line.partition("=")[0] for line in camera("env").snapshot().data.decode().splitlines()}
    assert "PATH" in names
    assert names <= {"PATH", "HOME", "TZ", "LANG"}


@pytest.mark.parametrize(
    ("argv", "code", "detail"),
    [
        (("no-such-program", "hush"), "no_command", "No such file"),
        (("/etc", "hush"), "no_command", "ermission"),
        (("false", "hush"), "command_failed", "status 1"),
        (("sh", "-c", "printf half; kill -9 $$"), "command_failed", "SIGKILL"),
        (("true", "hush"), "empty", "true"),
        (("head", "-c", "2000", "/dev/zero"), "too_large", "1000 bytes"),
        (("cat", "/dev/zero"), "too_large", "1000 bytes"),
    ],
)
def test_each_failure_has_its_name(argv: tuple[str, ...], code: str, detail: str) -> None:
    error = failure(camera(*argv, max_bytes=1000))
    assert error.code == code
    assert detail in error.detail


@pytest.mark.parametrize("last", ["sleep 100", "exec >&-; sleep 100", "sleep 100 & wait"])
def test_one_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path, last: str) -> None:
    script = f"echo $$ > {tmp_path}/pid; {last}"
    assert failure(camera("sh", "-c", script, timeout=0.2)).code == "timeout"
    group = int((tmp_path / "pid").read_text())
    while running(group):
        time.sleep(0.01)


def test_what_it_leaves_behind_is_killed_as_well(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid; sleep 100 >&- & printf picture"
    assert camera("sh", "-c", script).snapshot().data == b"picture"
    group = int((tmp_path / "pid").read_text())
    while running(group):
        time.sleep(0.01)


def test_a_command_has_a_word_at_least_and_errors_show_none() -> None:
    with pytest.raises(ValidationError):
        CommandSettings.model_validate({"location": "Attic", "argv": []})
    with pytest.raises(ValidationError) as caught:
        CommandSettings.model_validate({"location": "Attic", "argv": "hush"})
    assert "hush" not in str(caught.value)
    assert "hush" not in repr(CommandSettings(location="Attic", argv=("cat", "hush")))


def test_one_that_has_ended_is_not_waited_for_because_of_what_it_left_with_its_pipe(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"setsid sleep 60 & echo $! > {pid}; printf picture"
    try:
        assert camera("sh", "-c", script, timeout=30).snapshot().data == b"picture"
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)
