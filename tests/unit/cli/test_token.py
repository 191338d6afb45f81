"""The commands around tokens, as an operator types them."""

from __future__ import annotations

import json
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
    assert tokens(config).find(text)
    listed = run(config, "list")
    assert listed.stdout.split()[5:8] == ["phone", "admin", "all"]
    assert text not in listed.output
    assert run(config, "revoke", "phone").exit_code == 0
    assert not tokens(config).find(text)


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


def test_a_token_may_be_for_triggers_of_some_cameras_only(config: Path) -> None:
    with config.open("a") as file:
        file.write("cameras: [{kind: demo, location: Front Door}, {kind: demo, location: Yard}]\n")
    made = run(config, "add", "frigate", "--trigger-only", "--camera", "front-door")
    found = tokens(config).find(made.stdout.strip())
    assert found is not None
    assert (found.only_triggers, found.cameras) == (True, ("Front Door Camera",))
    run(config, "add", "shelly", "--trigger-only")
    listed = json.loads(run(config, "list", "--json").stdout)
    assert [(one["name"], one["only_triggers"], one["cameras"]) for one in listed] == [
        ("frigate", True, ["Front Door Camera"]),
        ("shelly", True, []),
    ]


def test_a_token_may_have_a_right_cameras_and_a_last_day(config: Path) -> None:
    with config.open("a") as file:
        file.write("time_zone: Europe/Berlin\ncameras: [{kind: demo, location: Front Door}]\n")
    made = run(config, "add", "wall", "--right", "viewer", "--camera", "front-door", "--expires", "2050-07-01")
    found = tokens(config).find(made.stdout.strip())
    assert found is not None
    assert (found.right, found.cameras, found.expires_at) == (
        "viewer",
        ("Front Door Camera",),
        "2050-06-30T22:00:00+00:00",
    )
    assert "expires in the future" in run(config, "add", "late", "--expires", "2001-01-01").stderr
    assert run(config, "add", "x", "--booth", "--right", "viewer").exit_code == 2
    assert [one.name for one in tokens(config).all()] == ["wall"]


def test_a_camera_that_is_not_there_or_a_right_that_cannot_be_limited_makes_no_token(config: Path) -> None:
    assert (
        "no camera 'cellar'; there are: none" in run(config, "add", "x", "--trigger-only", "--camera", "cellar").stderr
    )
    assert run(config, "add", "x", "--camera", "cellar").exit_code == 2
    assert tokens(config).all() == []
