"""The commands around tokens, as an operator types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.token import token
from app.web.access.tokens import Tokens
from pylib.files.lock import FolderLock


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(f"data_dir: {tmp_path / 'data'}\n")
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(token, arguments, obj=config)


def tokens(config: Path) -> Tokens:
    return Tokens(config.parent / "data" / "web" / "tokens.json")


def test_a_token_is_made_shown_once_listed_and_revoked(config: Path) -> None:
    made = run(config, "add", "phone")
    assert made.exit_code == 0
    text = made.stdout.strip()
    assert tokens(config).permits(text)
    listed = run(config, "list")
    assert listed.stdout.split()[-1] == "phone"
    assert text not in listed.output
    assert run(config, "revoke", "phone").exit_code == 0
    assert not tokens(config).permits(text)


def test_without_tokens_the_list_is_empty_and_makes_nothing(config: Path) -> None:
    listed = run(config, "list")
    assert (listed.exit_code, listed.stdout, listed.stderr) == (0, "", "there is no token\n")
    assert not (config.parent / "data").exists()


def test_the_service_may_run_meanwhile(config: Path) -> None:
    lock = FolderLock(config.parent / "data")
    lock.acquire()
    assert run(config, "add", "phone").exit_code == 0
    lock.release()


def test_what_goes_wrong_is_one_line(config: Path) -> None:
    assert run(config, "add", "phone").exit_code == 0
    for arguments in (("add", "phone"), ("revoke", "watch"), ("add", "")):
        refused = run(config, *arguments)
        assert refused.exit_code == 1
        assert refused.stderr.count("\n") == 1
    (config.parent / "data" / "web" / "tokens.json").write_text("{")
    broken = run(config, "list")
    assert broken.exit_code == 1
    assert "tokens.json is no list of tokens: delete it" in broken.stderr
