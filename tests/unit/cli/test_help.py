"""Every command says what it does, with an example that works, and fails in one clear way."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.cli.failures import exit_on_failure
from app.cli.main import main
from app.cli.reference import commands, examples
from tests.fakes.logging_state import restored_logging
from tests.unit.docs.pages import text

COMMANDS = dict(commands(main))

SHOWING = {
    *("archive status", "archive verify", "bans list", "cameras list", "cameras test", "check", "dead-letters list"),
    *("discover", "events", "health", "mode", "model list", "model test", "replay", "thresholds", "trigger", "watch"),
}
"""Those that show something, and do it as JSON too."""
PLAIN = {"codes", "commands", "settings", "schema", "iam"}
"""Those that print Markdown, or nothing but JSON."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_is_understood(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("gate.jpg", "rules.yml", "snapshots.tar"):
        (tmp_path / file).touch()
    (tmp_path / "old-pictures").mkdir()
    shown = examples(COMMANDS[name])
    assert shown
    for line in shown:
        program, *words = shlex.split(line)
        assert program == "snapshot-processor"
        assert words[: len(name.split())] == name.split() or name == "mode"
        understood(main, words)


def understood(command: click.Command, words: list[str]) -> None:
    """Raises `click.UsageError` for words that the command does not take."""
    with command.make_context(command.name, [*words]) as context:
        if isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
            if rest:
                _, inner, words = command.resolve_command(context, rest)
                assert inner is not None
                understood(inner, words)


def test_the_example_is_in_the_help_as_it_is_typed() -> None:
    shown = CliRunner().invoke(main, ["trigger", "--help"]).output
    assert '  Example:\n    snapshot-processor trigger "Front Door Camera"\n' in shown


def test_every_command_that_shows_something_does_it_as_json() -> None:
    having = {name for name, one in COMMANDS.items() if any("--json" in option.opts for option in one.params)}
    assert having >= SHOWING
    listing = {name for name in COMMANDS if name.split()[-1] in ("list", "status", "test", "verify")}
    assert listing - having <= {"notify test", "token list"}
    assert set(COMMANDS) >= PLAIN


def test_the_page_of_commands_is_what_the_command_prints() -> None:
    assert CliRunner().invoke(main, ["commands"]).output == text("docs/commands.md"), "write it again: make docs"


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["events", "--limit", "0"], 2, "--limit"),
        (["events", "--since", "last week"], 2, "'last week' is no moment: a duration such as 12h or 7d"),
        (["trigger"], 2, "Missing argument 'CAMERA'"),
        (["export", "x", "--day", "21.11.2026"], 2, "--day"),
        (["export", "x", "--day", "2026-11-21", "--since", "7d"], 2, "--day is a span already"),
        (["check", "Attic"], 1, "no camera 'Attic'; there are: none"),
        (["cameras", "test"], 2, "snapshot-processor init asks for some"),
        (["watch"], 1, "no service answers at http://127.0.0.1:9"),
        (["events"], 1, "no service answers at http://127.0.0.1:9"),
        (["trigger", "Attic"], 1, "no service answers at http://127.0.0.1:9"),
        (["trigger", "Attic", "--label", "x"], 2, "over RabbitMQ only"),
        (["--config", "away.yml", "check"], 78, "away.yml: cannot be read: No such file or directory"),
    ],
)
def test_bad_input_is_one_clear_error_and_a_status(
    words: list[str], status: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"DATA_DIR": str(tmp_path), "WEB_PORT": "9", "CONFIG_FILE": None, "RABBITMQ_SERVER_ADDRESS": None}
    with restored_logging():
        result = CliRunner(env=environment).invoke(main, words)
    assert (result.exit_code, result.stdout) == (status, "")
    assert says in result.stderr
    assert not isinstance(result.exception, OSError)
    said = [line for line in result.stderr.splitlines() if line and not line.startswith(("Usage: ", "Try "))]
    assert len(said) == 1


def test_a_file_that_cannot_be_written_is_named_and_a_reader_that_went_away_is_not_our_failure() -> None:
    @click.command()
    @click.argument("number", type=int)
    @exit_on_failure
    def command(number: int) -> None:
        raise OSError(number, os.strerror(number), "/mnt/full.zip")

    full = CliRunner().invoke(command, [str(errno.ENOSPC)])
    assert (full.exit_code, full.stderr) == (1, "/mnt/full.zip: No space left on device\n")
    gone = CliRunner().invoke(command, [str(errno.EPIPE)])
    assert (gone.exit_code, gone.stderr) == (1, "")


def test_the_shell_completes_commands() -> None:
    asked = {"COMP_WORDS": "snapshot-processor ev", "COMP_CWORD": "1"}
    result = CliRunner(env={"_SNAPSHOT_PROCESSOR_COMPLETE": "bash_complete", **asked}).invoke(
        main, prog_name="snapshot-processor"
    )
    assert result.output == "plain,events\n"
