"""The pages of people, as a browser without JavaScript sends their forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from argon2 import PasswordHasher

from app.web.access import hashing
from app.web.access.caller import Right
from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.cameras import jpeg
from tests.fakes.web import FRONT, Client, close, parts_for, serving, shown

ONE, ANNAS, BENS = "open sesame", "the sea is blue", "the sky is wide"


@dataclass
class House:
    context: WebContext
    client: Client
    folder: Path

    def log_in(self, name: str, password: str) -> dict[str, str]:
        answer = self.client.post("/login", data={"name": name, "password": password})
        assert answer.status_code == 303, answer.text
        return {"snapshot_session": answer.cookies["snapshot_session"]}

    def page(self, path: str, who: dict[str, str]) -> requests.Response:
        return self.client.get(path, cookies=who, headers={"Accept": "text/html"})

    def send(self, path: str, who: dict[str, str], **fields: object) -> requests.Response:
        return self.client.post(path, data=fields, cookies=who, headers={"Accept": "text/html"})

    @property
    def actions(self) -> list[tuple[str, str, str]]:
        return [(row.who, row.action, row.subject) for row in self.context.journal.audited(limit=50)]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(hashing, "_hasher", lambda: hasher)
    context = parts_for(tmp_path, settings=WebSettings(password=Secret(ONE)))
    context.access.users.add("Anna", ANNAS, Right.OPERATOR)
    with serving(application(context)) as client:
        yield House(context, client, tmp_path)
    close(context)


def said(answer: requests.Response) -> str:
    found = re.search(r'role="alert">.*?<span>(.*?)</span>', answer.text, re.DOTALL)
    return found[1] if found else ""


def test_an_admin_adds_changes_and_deletes_a_user(house: House) -> None:
    host = house.log_in("", ONE)
    fields = {"name": "Ben", "right": "viewer", "camera": [FRONT], "new": BENS, "again": BENS}
    assert house.send("/users", host, **fields).headers["location"] == "/users?added=1"
    ben = house.log_in("ben", BENS)
    assert house.page("/users", ben).status_code == 403
    assert "Front" in house.page("/account", ben).text
    house.send("/users/Ben", host, right="operator", all_cameras="1")
    assert "Operator" in house.page("/account", ben).text
    house.send("/users/Ben/password", host, new=ANNAS, again=ANNAS)
    assert house.page("/account", ben).status_code == 303
    ben = house.log_in("Ben", ANNAS)
    house.send("/users/Ben/delete", host)
    assert house.page("/account", ben).status_code == 303
    assert house.actions == [
        ("", "delete user", "Ben"),
        ("", "password", "Ben"),
        ("", "change user", "Ben"),
        ("", "add user", "Ben"),
    ]
    page = house.page("/audit", host).text
    assert "Add user: Ben" in page
    assert not any(secret in page for secret in (ANNAS, BENS, ONE))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "ANNA"}, "There is a user called &#39;ANNA&#39; already: take another name."),
        ({"again": "another"}, "The two new passwords differ."),
        ({"new": "short", "again": "short"}, "A password has 10 to 200 characters."),
        ({"all_cameras": ""}, "Choose all cameras, or some of them."),
        ({"camera": FRONT}, "Choose all cameras, or some of them."),
        ({"all_cameras": "", "camera": [FRONT, "Gone"]}, "There is no camera &#39;Gone&#39;: choose again."),
        ({"right": "king"}, "&#39;king&#39; is no right: there are viewer, operator and admin."),
        ({"name": "../x"}, "A name has 1 to 60 printable characters, a letter, and no /."),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_and_the_form_keeps_the_rest(
    house: House, changes: dict[str, str], sentence: str
) -> None:
    given = {"name": "Ben", "right": "viewer", "all_cameras": "1", "new": BENS, "again": BENS, **changes}
    answer = house.send("/users", house.log_in("", ONE), **given)
    assert answer.status_code in (400, 409)
    assert said(answer) == sentence
    assert f'value="{given["name"]}"' in answer.text
    assert [user.name for user in house.context.access.users.all()] == ["Anna"]
    assert house.actions == []


def test_a_guest_of_a_camera_that_is_gone_sees_no_others(house: House) -> None:
    host, users = house.log_in("", ONE), house.context.access.users
    users.change("Anna", right=Right.VIEWER, cameras=["Gone Camera"])
    assert re.search(r'name="camera" value="Gone Camera" checked', house.page("/users", host).text)
    assert house.send("/users/Anna", host, right="operator", camera="Gone Camera").status_code == 303
    assert users.all()[0].cameras == ("Gone Camera",)
    for fields in ({}, {"camera": "Another"}, {"camera": "Gone Camera", "all_cameras": "1"}):
        assert house.send("/users/Anna", host, right="viewer", **fields).status_code == 400
    assert users.all()[0].cameras == ("Gone Camera",)
    house.send("/users/Anna", host, right="viewer", all_cameras="1")
    assert users.all()[0].cameras == ()


def test_one_changes_ones_own_password_and_is_out_everywhere_else(house: House) -> None:
    here, elsewhere = house.log_in("Anna", ANNAS), house.log_in("Anna", ANNAS)
    assert said(house.send("/account/password", here, old=BENS, new=BENS, again=BENS)) == "This is not your password."
    assert said(house.send("/account/password", here, old=ONE, new=BENS, again=BENS)) == "This is not your password."
    answer = house.send("/account/password", here, old=ANNAS, new=BENS, again=BENS)
    here = {"snapshot_session": answer.cookies["snapshot_session"]}
    assert "Your password is changed" in house.page("/account?changed=1", here).text
    assert house.page("/account", elsewhere).status_code == 303
    elsewhere = house.log_in("Anna", BENS)
    answer = house.send("/account/everywhere", here)
    assert house.page("/account", elsewhere).status_code == 303
    assert house.page("/account", {"snapshot_session": answer.cookies["snapshot_session"]}).status_code == 200
    assert house.actions == [("Anna", "log out everywhere", "Anna"), ("Anna", "password", "Anna")]


def test_the_password_of_the_album_is_nobodys_to_change_here(house: House) -> None:
    host = house.log_in("", ONE)
    assert "snapshot-processor passwd" in house.page("/account", host).text
    assert house.send("/account/password", host, old=ONE, new=BENS, again=BENS).status_code == 409


def test_who_writes_a_note_over_another_sees_both(house: House) -> None:
    shown(house.context, house.folder, "s1")
    anna, host = house.log_in("Anna", ANNAS), house.log_in("", ONE)
    assert '<input type="hidden" name="was" value="">' in house.page("/snapshots/s1", anna).text
    assert house.send("/snapshots/s1/note", host, note="a fox", was="").status_code == 303
    answer = house.send("/snapshots/s1/note", anna, note="a cat", was="")
    assert answer.status_code == 409
    assert "a fox" in answer.text
    assert "a cat" in answer.text
    entry = house.context.journal.entry("s1")
    assert entry is not None
    assert entry.note == "a fox"
    changed = house.client.ask("PATCH", "/api/snapshots/s1", json={"note": "a dog", "note_was": "a"}, cookies=anna)
    assert (changed.status_code, "it is now 'a fox'" in changed.text) == (409, True)
    assert house.send("/snapshots/s1/note", anna, note="a cat", was="a fox").headers["location"] == "/snapshots/s1"
    assert [(row.who, row.action, row.subject) for row in house.context.journal.audited(limit=9)] == [
        ("Anna", "note", "s1"),
        ("", "note", "s1"),
    ]
    rows = house.client.get("/api/audit?who=Anna&limit=1", auth=("", ONE)).json()
    assert [(row["action"], row["subject"]) for row in rows["changes"]] == [("note", "s1")]
    assert rows["next"] is None
    assert house.client.get("/api/audit", cookies=anna).status_code == 403


def test_the_audit_log_says_what_was_changed(house: House) -> None:
    host = house.log_in("", ONE)
    for number in (1, 2):
        shown(house.context, house.folder, f"s{number}")
    files = [("image", ("a.jpg", jpeg())), ("image", ("b.jpg", b"no picture"))]
    mixed = house.client.post("/upload", data={"camera": FRONT}, files=files, cookies=host)
    assert mixed.status_code == 422
    house.send("/selection/star", host, id=["s1", "s2"])
    house.client.ask("PUT", "/api/mode", json={"mode": "away"}, cookies=host)
    gone = house.client.ask("POST", "/api/deletions", json={"ids": ["s1", "s2"], "undo": 60}, cookies=host).json()
    house.send(f"/deletions/{gone['undo']}/undo", host)
    gone = house.client.ask("POST", "/api/deletions", json={"ids": ["s1"], "undo": 60}, cookies=host).json()
    house.client.ask("POST", f"/api/deletions/{gone['undo']}/undo", cookies=host)
    house.send("/users/Anna", host, right="viewer", camera=FRONT)
    rows = [(row.action, row.subject, row.detail) for row in house.context.journal.audited(limit=50)][::-1]
    action, uploaded, camera = rows[0]
    assert (action, camera, f"/snapshots/{uploaded}" in mixed.text) == ("upload", FRONT, True)
    assert [(subject, set(detail.split(", "))) for _, subject, detail in rows[1:]] == [
        ("2 pictures", {"s1", "s2"}),
        ("", {"away"}),
        ("2 pictures", {"s1", "s2"}),
        ("2 pictures", {"s1", "s2"}),
        ("s1", {""}),
        ("s1", {""}),
        ("Anna", {"viewer", FRONT}),
    ]


def test_links_that_one_may_not_follow_are_not_shown(house: House) -> None:
    context = house.context.access.users
    context.change("Anna", right=Right.VIEWER, cameras=[FRONT])
    page = house.page("/", house.log_in("Anna", ANNAS)).text
    assert 'data-right="viewer" data-cameras="some"' in page
    assert 'href="/rules"' not in page
    assert 'href="/rules"' in house.page("/", house.log_in("", ONE)).text


def test_the_login_asks_for_a_name_once_there_are_users(house: House) -> None:
    assert 'name="name"' in house.page("/login", {}).text
    house.context.access.users.remove("Anna")
    assert 'name="name"' not in house.page("/login", {}).text


def test_an_album_without_a_password_says_so(tmp_path: Path, house: House) -> None:
    host = house.log_in("", ONE)
    for path, nobody in (("/users", "Nobody is asked to log in yet"), ("/account", "None is set")):
        assert nobody not in house.page(path, host).text
    context = parts_for(tmp_path / "open")
    with serving(application(context)) as client:
        page = {"Accept": "text/html"}
        users, account = (client.get(path, headers=page).text for path in ("/users", "/account"))
    close(context)
    assert "Nobody is asked to log in yet: set <code>WEB_PASSWORD</code>." in users
    assert "Whoever has the password" not in users
    assert "None is set" in account
    assert "It is changed where it is set" not in account
