"""Settings for commands: who looks where nothing is, while the demo's data lies beside it, is told so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.demo import Show, demo_settings
from app.cli.main import main
from app.config.settings import load


@pytest.mark.parametrize("command", ["audit", "events", "export day.zip", "thresholds", "token list", "trigger gate"])
def test_a_command_that_finds_no_data_says_where_the_demo_s_is(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WEB_PORT", "1")
    monkeypatch.chdir(tmp_path)
    key = tmp_path / "data/demo/web/key"
    said = f"put DATA_DIR={tmp_path / 'data/demo'} before the command"
    assert said not in CliRunner().invoke(main, command.split()).stderr
    key.parent.mkdir(parents=True)
    key.touch()
    assert said in CliRunner().invoke(main, command.split()).stderr
    own = tmp_path / "data/web/key"
    own.parent.mkdir(exist_ok=True)
    own.touch()
    assert said not in CliRunner().invoke(main, command.split()).stderr


def test_the_demo_says_how_commands_find_it(tmp_path: Path) -> None:
    settings = demo_settings(load(None, {"DATA_DIR": str(tmp_path)}), every=5)
    said: list[object] = []
    Show(settings, echo=said.append).introduce(settings)
    where = f"DATA_DIR={tmp_path}/demo WEB_PORT={settings.web.port} snapshot-processor events"
    assert f"Commands find it:  {where}" in said
