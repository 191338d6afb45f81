"""Who may do what: every route has a right, and a token with a right and cameras gets no further than that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.routing import Route

from app.journal.entries import Filter
from app.messages import Detection, Label
from app.web.access.caller import Right
from app.web.access.csrf import SAFE
from app.web.access.rights import RULES, Rule, rule_of
from app.web.access.tokens import FILE, Tokens
from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.settings.credentials import Secret
from tests.fakes.asgi import ask
from tests.fakes.booth import BoothHouse
from tests.fakes.web import FRONT, KITCHEN, Client, close, parts_for, serving, shown

QUIET = {
    "POST /login",
    "POST /logout",
    "POST /theme",
    "POST /language",
    "POST /cameras/{name}/trigger",
    "POST /api/cameras/{name}/trigger",
    "POST /api/hooks/{hook}",
    "POST /api/config/cameras/test",
    "POST /selection/ids",
    "POST /rules/preview",
    "POST /api/rules/preview",
    "POST /settings/cameras/test",
    "POST /settings/cameras/seen",
    "POST /booth/enter",
    "POST /api/booth/start",
    "POST /api/booth/pictures",
    "POST /api/booth/events",
    "POST /api/booth/guest",
}
"""What changes nothing, or has a record of its own."""


OWN = {
    "POST /theme",
    "POST /language",
    "POST /login",
    "POST /logout",
    "POST /account/password",
    "POST /account/everywhere",
    "POST /booth/enter",
    "POST /api/push/subscriptions",
    "DELETE /api/push/subscriptions",
    # A download, which may be asked for by more ids than an address holds.
    "POST /api/export.zip",
    "POST /selection/zip",
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebContext]:
    folder = tmp_path_factory.mktemp("rights")
    context = parts_for(
        folder,
        settings=WebSettings(password=Secret("right")),
    )
    context = replace(context, booth=BoothHouse(folder, context.journal).booth)
    shown(context, folder, "front", camera=FRONT)
    shown(context, folder, "kitchen", camera=KITCHEN)
    yield context
    close(context)


@pytest.fixture(scope="module")
def client(context: WebContext) -> Iterator[Client]:
    with serving(application(context)) as client:
        yield client


@pytest.fixture
def folder(context: WebContext) -> Path:
    return context.films.folder.parent


def routes(context: WebContext) -> set[str]:
    found = set()
    for route in application(context).routes:
        assert isinstance(route, Route)
        found |= {f"{method} {route.path_format}" for method in route.methods or () if method != "HEAD"}
    return found


def headers(folder: Path, right: str, *cameras: str) -> dict[str, str]:
    tokens = Tokens(folder / "web" / FILE)
    name = " ".join((right, *cameras))
    for token in tokens.all():
        if token.name == name:
            tokens.revoke(name)
    return {"Authorization": f"Bearer {tokens.add(name, right=Right.of(right), cameras=cameras)}"}


def test_every_route_has_a_right_and_every_right_a_route(context: WebContext) -> None:
    there = routes(context)
    assert there - set(RULES) == set(), "declare the right of each in app/web/access/rights.py"
    assert set(RULES) - there == set(), "no route is called so"


def test_every_change_is_in_the_audit_log_or_has_a_record_of_its_own() -> None:
    changes = {name: rule for name, rule in RULES.items() if name.partition(" ")[0] not in SAFE}
    assert {name for name, rule in changes.items() if not rule.action} == QUIET
    assert not [name for name, rule in RULES.items() if name not in changes and rule.action]


def test_visits_of_other_cameras_are_neither_shown_counted_nor_reviewed(
    context: WebContext, client: Client, folder: Path
) -> None:
    limited = headers(folder, "operator", KITCHEN)
    (visit,) = client.get("/api/visits", headers=limited).json()["visits"]
    assert visit["device_key"] == KITCHEN
    assert client.get("/api/count", headers=limited).json()["snapshots"] == 1
    (other,) = {one.visit for one in context.journal.page(Filter(camera=FRONT))}
    for visit_id, status in ((other, 404), (visit["visit"], 200)):
        answer = client.ask("PATCH", f"/api/visits/{visit_id}", json={"reviewed": True}, headers=limited)
        assert answer.status_code == status
    assert context.journal.count(Filter(reviewed=True)) == 1
    pile = client.get(f"/visits/{other}", headers={**limited, "Accept": "text/html"})
    assert "<article" not in pile.text
    assert [camera in client.get("/names/cameras", headers=limited).text for camera in (KITCHEN, FRONT)] == [
        True,
        False,
    ]


def test_who_is_limited_to_some_cameras_is_told_of_no_other(client: Client, folder: Path) -> None:
    for right in ("viewer", "operator"):
        found = client.get("/api/cameras", headers=headers(folder, right, KITCHEN)).json()["cameras"]
        assert [camera["device_key"] for camera in found] == [KITCHEN]
    door = Tokens(folder / "web" / FILE).add("door", only_triggers=True, cameras=[KITCHEN])
    refused = client.post("/api/cameras/shed/trigger", headers={"Authorization": f"Bearer {door}"})
    assert refused.json()["error"] == f"unknown_camera: no camera 'shed'; there are: {KITCHEN}"


def test_what_is_not_declared_is_for_admins() -> None:
    assert rule_of("POST", "/made-up").right is Right.ADMIN
    assert rule_of("HEAD", "/") == RULES["GET /"]


@pytest.mark.parametrize("right", [Right.VIEWER, Right.OPERATOR])
def test_each_right_is_refused_what_takes_a_higher_one(context: WebContext, folder: Path, right: Right) -> None:
    app, own = application(context), headers(folder, right.word)
    for name in (name for name, rule in RULES.items() if rule.right > right):
        method, path = name.split(" ")
        asked = re.sub(r"{\w+}", "1", path)
        answer = ask(app, asked, method=method, headers=[("authorization", own["Authorization"])])
        assert (answer.status, "forbidden: this takes the right" in answer.text) == (403, True), name


def test_an_operator_stars_and_a_viewer_may_not(client: Client, context: WebContext, folder: Path) -> None:
    star = {"json": {"starred": True}}
    refused = client.ask("PATCH", "/api/snapshots/front", headers=headers(folder, "viewer"), **star)
    assert refused.json() == {"error": "forbidden: this takes the right of an operator; yours is viewer"}
    assert client.ask("PATCH", "/api/snapshots/front", headers=headers(folder, "operator"), **star).status_code == 200
    assert client.ask("PATCH", "/api/snapshots/none", headers=headers(folder, "operator"), **star).status_code == 404
    newest = context.journal.audited(limit=1)[0]
    assert (newest.who, newest.method, newest.action, newest.subject) == ("operator", "token", "change", "front")
    assert newest.address == "127.0.0.1"


@pytest.mark.parametrize("wanted", ["front", "kitchen"])
def test_who_may_see_one_camera_finds_the_other_nowhere(client: Client, folder: Path, wanted: str) -> None:
    own = headers(folder, "viewer", {"front": FRONT, "kitchen": KITCHEN}[wanted])
    other = {"front": "kitchen", "kitchen": "front"}[wanted]
    assert [one["event_id"] for one in client.get("/api/snapshots", headers=own).json()["snapshots"]] == [wanted]
    assert client.get("/api/snapshots?q=person", headers=own).json()["snapshots"][0]["event_id"] == wanted
    assert sum(one["snapshots"] for one in client.get(f"/api/heat?{SPAN}", headers=own).json()["quarters"]) == 1
    assert len(client.get("/api/cameras", headers=own).json()["cameras"]) == 1
    page = client.get("/", headers={**own, "Accept": "text/html"}).text
    assert f"/snapshots/{wanted}" in page
    assert f"/snapshots/{other}" not in page
    for path in ("", "/image", "/thumbnail", "/annotated", "/frames/0"):
        assert client.get(f"/api/snapshots/{other}{path}", headers=own).status_code == 404
        if path != "/frames/0":  # it is no burst
            assert client.get(f"/api/snapshots/{wanted}{path}", headers=own).status_code == 200
    assert client.get(f"/snapshots/{other}", headers=own).status_code == 404
    assert f"/snapshots/{other}" not in client.get(f"/snapshots/{wanted}", headers={**own, "Accept": "text/html"}).text


def test_what_is_about_all_cameras_is_refused_to_who_may_see_some(client: Client, folder: Path) -> None:
    own = headers(folder, "operator", FRONT)
    for name, rule in RULES.items():
        method, path = name.split(" ")
        if method == "GET" and "{" not in path and rule.right <= Right.OPERATOR and not rule.own:
            assert client.get(path, headers=own).status_code == 403, name
    assert client.get("/cameras/kuche-camera", headers=own).status_code == 404
    assert client.get("/api/snapshots?camera=kuche-camera", headers=own).status_code == 404
    assert "Küche" not in client.get("/api/snapshots?camera=nowhere", headers=own).text
    assert client.post("/api/cameras/kuche-camera/trigger", headers=own).status_code == 404
    assert client.post("/api/cameras/front-door-camera/trigger", headers=own).status_code == 202


def test_labels_that_another_camera_saw_are_not_told(client: Client, context: WebContext, folder: Path) -> None:
    shown(context, folder, "parrot", camera=KITCHEN, detection=Detection((Label("Parrot", 0.9),), 0))
    assert "Parrot" in client.get("/api/labels", headers=headers(folder, "viewer")).json()["labels"]
    assert "Parrot" in client.get("/api/labels", headers=headers(folder, "viewer", KITCHEN)).json()["labels"]
    assert "Parrot" not in client.get("/api/labels", headers=headers(folder, "viewer", FRONT)).json()["labels"]
    context.journal.delete("parrot", archives=())


def test_a_viewer_changes_nothing_but_what_is_their_own_and_only_an_admin_deletes() -> None:
    changes = {name: rule for name, rule in RULES.items() if name.partition(" ")[0] not in SAFE}
    assert {name for name, rule in changes.items() if rule.right is Right.VIEWER} == OWN
    deleting = {rule.right for rule in changes.values() if "delete" in rule.action}
    assert deleting == {Right.ADMIN}
    assert RULES["POST /snapshots/{id}/delete"] == Rule(Right.ADMIN, "delete")


SPAN = "since=2026-03-01&until=2026-03-10"


@pytest.mark.parametrize("path", ["/live", "/live/tiles", "/live/cameras", "/api/events"])
def test_no_stream_outlives_the_right_to_look(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("app.web.streaming.broadcast.WATCH_S", 0.01)
    own = headers(folder, "viewer")
    with client.get(path, headers={**own, "Accept": "text/event-stream"}, stream=True, timeout=5) as stream:
        assert stream.status_code == 200
        Tokens(folder / "web" / FILE).revoke("viewer")
        for _ in stream.iter_content(None):  # until it ends; else the client gives up, which is an error
            pass
