"""The commands around people, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from app.cli.api_client import ApiClient
from app.cli.audit import audit
from app.cli.token import token
from app.cli.users import passwd, users
from app.journal import Journal
from app.web.access import hashing
from app.web.access.caller import Right
from app.web.access.passwords import load_or_make
from app.web.access.users import Users
from pylib.files.lock import FolderLock
from tests.fakes.journal import begin, end

GOOD = "long enough, Anna\n"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(hashing, "_hasher", lambda: hasher)
    for name in ("WEB_PASSWORD", "WEB_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    camera = "cameras:\n  - {kind: demo, location: Front}\n  - {kind: demo, location: Back}\n"
    path.write_text(f"data_dir: {tmp_path / 'data'}\n{camera}")
    return path


def run(config: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(users, arguments, obj=config, input=typed)


def there(config: Path) -> Users:
    return Users(config.parent / "data/web/users.json", admin_needed=False)


def test_a_guest_is_added_seen_changed_and_removed(config: Path) -> None:
    (config.parent / "data").mkdir()
    journal: Journal = begin(config.parent / "data/journal.db")
    assert run(config, "add", "Anna", "--camera", "front", typed=GOOD).output == "Anna is added\n"
    assert run(config, "list").output.split()[:5] == ["NAME", "RIGHT", "CAMERAS", "SINCE", "Anna"]
    listed = json.loads(run(config, "list", "--json").output)
    assert [(user["name"], user["right"], user["cameras"]) for user in listed] == [("Anna", "viewer", ["Front Camera"])]
    assert "argon2" not in run(config, "list", "--json").output
    before = there(config).all()[0].identity
    assert run(config, "passwd", "anna", typed="another long one\n").exit_code == 0
    assert there(config).all()[0].identity != before
    assert run(config, "right", "Anna", "operator").output == "Anna: operator, Front Camera\n"
    assert run(config, "right", "Anna", "viewer", "--camera", "back").output == "Anna: viewer, Back Camera\n"
    assert run(config, "right", "Anna", "viewer", "--camera", "back", "--all-cameras").exit_code == 2
    assert run(config, "right", "Anna", "viewer", "--all-cameras").output == "Anna: viewer, all cameras\n"
    assert run(config, "remove", "ANNA").output == "Anna is deleted\n"
    assert there(config).all() == []
    rows = journal.audited(limit=9)
    assert [row.action for row in rows] == ["delete user", *["change user"] * 3, "password", "add user"]
    assert {(row.method, row.subject) for row in rows} == {("command", "Anna")}
    assert rows[-1].detail == "viewer, Front Camera"
    end(journal)


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (("add", "Anna"), "short\n", "a password has 10 to 200 characters"),
        (("add", "Anna"), "password123\n", "among the first that anybody would try"),
        (("add", "BEN"), GOOD, "there is a user called 'BEN' already"),
        (("add", "Anna", "--camera", "nowhere"), GOOD, "nowhere"),
        (("add", "Anna", "--right", "admin", "--camera", "front"), GOOD, "an admin sees all cameras"),
        (("remove", "Ben"), "", "this is the last admin"),
        (("right", "Ben", "viewer"), "", "this is the last admin"),
        (("passwd", "Nobody"), GOOD, "there is no user called 'Nobody'"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    config: Path, arguments: tuple[str, ...], typed: str, sentence: str
) -> None:
    run(config, "add", "Ben", "--right", "admin", typed=GOOD)
    before = there(config).all()
    answer = run(config, *arguments, typed=typed)
    assert answer.exit_code == 1
    assert sentence in answer.output
    assert there(config).all() == before


def test_while_another_process_changes_users_one_is_told(config: Path) -> None:
    lock = FolderLock(config.parent / "data/web")
    lock.acquire()
    assert "another process" in run(config, "add", "Anna", typed=GOOD).output
    lock.release()


def test_the_albums_password_is_changed_where_it_is_kept(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(typed: str = GOOD) -> Result:
        return CliRunner().invoke(passwd, obj=config, input=typed)

    open_to_all = change().output
    assert "no password is asked for on this machine" in open_to_all
    assert "users" not in open_to_all  # they change nothing: this machine stays open
    config.write_text(config.read_text() + "web: {host: 0.0.0.0}\n")
    assert "10 to 200" in change("short\n").output
    assert change().exit_code == 0
    known, made = load_or_make(config.parent / "data/web/password")
    assert (known.matches(GOOD.strip()), made) == (True, None)
    secret = config.parent / "web_password"
    monkeypatch.setenv("WEB_PASSWORD_FILE", str(secret))
    secret.write_text("the one before")
    assert change().exit_code == 0
    assert secret.read_text() == GOOD
    monkeypatch.delenv("WEB_PASSWORD_FILE")
    monkeypatch.setenv("WEB_PASSWORD", "the one before")
    assert "set as WEB_PASSWORD, in the environment" in change().output


def test_days_are_the_homes(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(config.read_text() + "time_zone: Europe/Berlin\n")
    assert CliRunner().invoke(token, ["add", "wall", "--expires", "2037-12-01"], obj=config).exit_code == 0
    assert "2037-12-01" in CliRunner().invoke(token, ["list"], obj=config).output
    known = Users(config.parent / "data/web/users.json", admin_needed=False, clock=lambda: 1_795_993_200.0)
    known.add("Anna", GOOD, Right.VIEWER)
    assert "2026-11-30 00:00" in run(config, "list").output
    row = dict.fromkeys(("who", "address", "action", "subject", "detail"), "") | {"method": "open"}
    changes = {"changes": [{**row, "at": "2026-11-29T23:00:00.000000+00:00"}]}
    monkeypatch.setattr(ApiClient, "get_well", lambda *_, **__: changes)
    assert "2026-11-30 00:00:00" in CliRunner().invoke(audit, obj=config).output
