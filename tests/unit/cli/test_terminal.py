"""What commands print: aligned, as wide as the terminal, in colours where there are any, and harmless."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys

import click
import pytest
from click.testing import CliRunner

from app.cli import terminal
from app.cli.terminal import OK, WRONG, Coloured, counted, json_line, say, show_json, size_text, table

ROWS = [(OK, "disk", "72 GB free"), (WRONG, "Küche", "a camera whose \x1b[2J name \r\nis long " + "and long " * 12)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns in place of the standard output; pytest changes that between a fixture and its test."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return screen


def printed(*arguments: str, **environment: str) -> str:
    """What a pipe gets of the table."""

    @click.command()
    def command() -> None:
        table(("", "check", "found"), ROWS)

    return CliRunner(env=environment).invoke(command, arguments).output


def test_in_a_pipe_each_row_is_one_line_without_colours_and_without_blanks_at_its_end() -> None:
    head, disk, kitchen = printed(COLUMNS="40").splitlines()
    assert (head, disk) == ("       check  found", "ok     disk   72 GB free")
    assert kitchen.startswith(r"WRONG  Küche  a camera whose \x1b[2J name \r\nis long and long")
    assert kitchen.endswith("and long")


def test_on_a_terminal_rows_are_folded_to_its_width_and_have_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_terminal(monkeypatch)
    table(("", "check", "found"), ROWS)
    text = screen.getvalue()
    assert "\x1b[32mok" in text
    assert "\x1b[2J" not in text
    lines = click.unstyle(text).splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 80


def test_what_is_to_be_copied_is_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_terminal(monkeypatch)
    table(("what", "id"), [("a sentence of many words " * 4, "0123456789abcdef" * 2)], whole=("id",))
    assert "0123456789abcdef" * 2 in screen.getvalue()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
    ],
)
def test_whoever_wants_no_colours_gets_none(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
) -> None:
    screen = on_terminal(monkeypatch)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    say("disk", mark=OK)
    table(("check",), [(Coloured("disk", "green"),)])
    assert ("\x1b[" in screen.getvalue()) == coloured
    assert click.unstyle(screen.getvalue()).splitlines()[0] == "ok      disk"


def test_whoever_wants_colours_in_a_pipe_gets_them() -> None:
    assert "\x1b[32mok" in printed(FORCE_COLOR="1")
    assert "\x1b[" not in printed(FORCE_COLOR="0")


def test_json_says_the_same_and_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    value = [{"name": "Tür\x1b[2J\x9b\u2028", "size": 1}]
    show_json(value)
    text = capsys.readouterr().out
    assert json.loads(text) == json.loads(json_line(value)) == value
    assert "Tür" in text
    assert all(sign.isprintable() for sign in text.replace("\n", "") + json_line(value))


def test_nothing_is_printed_of_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    table(("a", "b"), [])
    assert capsys.readouterr().out == ""


def test_counts_and_sizes_are_those_of_people() -> None:
    assert [counted(1, "camera"), counted(1200, "camera")] == ["1 camera", "1,200 cameras"]
    assert [size_text(size) for size in (412_000, 3_140_000, 2_500_000_000)] == ["412 kB", "3.1 MB", "2.5 GB"]


def test_errors_have_the_colours_of_their_own_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    assert terminal.has_colours()
    assert terminal.has_colours(err=True) == sys.stderr.isatty()
