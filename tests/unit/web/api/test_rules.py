"""Rules and zones over HTTP: read, changed, and tried on what was kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.messages import Box, Detection, Label
from app.web.api.response_models import PreviewModel
from tests.fakes.web import FRONT
from tests.unit.web.api.conftest import House

SQUARE = [[0, 0.5], [0.5, 0.5], [0.5, 1], [0, 1]]
DOOR = {"name": "door", "cameras": ["Front Door"], "labels": {"Person": 0.6}, "outlets": ["phone"]}


def put(house: House, path: str, body: object, *, status: int = 200) -> Any:
    answer = house.client.ask("PUT", path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def book(house: House) -> Any:
    return house.client.get("/api/rules").json()


def test_a_rule_is_added_changed_renamed_and_deleted_and_the_file_says_the_same(house: House) -> None:
    assert book(house)["rules"] == []
    written = put(house, "/api/rules/door", DOOR)
    assert (written["cooldown"], written["labels"]) == (0, {"Person": 0.6})
    assert put(house, "/api/rules/door", {key: DOOR[key] for key in DOOR if key != "name"}) == written
    put(house, "/api/rules/door", {**DOOR, "name": "porch", "cooldown": 60})
    (rule,) = book(house)["rules"]
    assert (rule["name"], rule["cooldown"]) == ("porch", 60)
    assert "porch" in house.context.rules.path.read_text()
    assert house.client.ask("DELETE", "/api/rules/door").status_code == 404
    assert house.client.ask("DELETE", "/api/rules/porch").status_code == 204
    assert book(house)["rules"] == []


def test_a_rule_that_cannot_be_is_refused_in_words_that_name_the_field(house: House) -> None:
    put(house, "/api/rules/door", DOOR)
    before = house.context.rules.path.read_text()
    unknown = put(house, "/api/rules/x", {**DOOR, "name": "x", "cameras": ["Front Dor"]}, status=422)["error"]
    assert unknown.startswith("bad_rules: ")
    assert "cameras" in unknown
    assert "did you mean Front Door" in unknown
    again = put(house, "/api/rules/x", {**DOOR, "name": "Door"}, status=422)["error"]
    assert "two rules are called 'door'" in again
    for change, word in (({"cooldown": "60"}, "cooldown"), ({"hours": "nine"}, "hours"), ({"color": 1}, "color")):
        assert word in put(house, "/api/rules/door", {**DOOR, **change}, status=400)["error"]
    assert house.context.rules.path.read_text() == before


def test_a_zone_is_put_replaced_and_kept_while_a_rule_needs_it(house: House) -> None:
    house.context.rules.path.write_text(
        "zones:\n- {camera: Front Door, name: porch, points: [[0, 0], [1, 0], [1, 1]]}\n"
    )
    zone = put(house, "/api/cameras/front-door/zones/porch", {"points": SQUARE})
    assert zone == {"camera": "Front Door", "name": "porch", "points": SQUARE, "mask": False, "private": False}
    put(house, "/api/rules/door", {**DOOR, "zones": ["porch"]})
    needed = house.client.ask("DELETE", "/api/cameras/front-door/zones/porch")
    assert (needed.status_code, "'porch' is no zone" in needed.text) == (422, True)
    house.client.ask("DELETE", "/api/rules/door")
    assert house.client.ask("DELETE", "/api/cameras/front-door/zones/porch").status_code == 204
    assert house.client.ask("DELETE", "/api/cameras/front-door/zones/porch").status_code == 404
    assert put(house, "/api/cameras/front-door/zones/tree", {"points": SQUARE, "mask": True})["camera"] == FRONT
    assert put(house, "/api/cameras/nowhere/zones/tree", {"points": SQUARE}, status=404)


def test_a_zone_that_is_no_polygon_is_refused(house: House) -> None:
    path = "/api/cameras/front-door/zones/porch"
    for points, words in (
        ([[0, 0], [1, 1]], "3 to 50 corners"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "cross its own edges"),
        ([[0, 0], [2, 0], [1, 1]], "from 0 to 1"),
    ):
        assert words in put(house, path, {"points": points}, status=400)["error"]


def test_what_holds_for_all_rules_is_changed_one_by_one(house: House) -> None:
    house.client.ask("PATCH", "/api/rules", json={"quiet_hours": "23:00-06:00"})
    changed = house.client.ask("PATCH", "/api/rules", json={"digest": {"after": 5}}).json()
    assert (changed["quiet_hours"], changed["digest"]) == ("23:00-06:00", {"after": 5, "within": 600})
    assert house.client.ask("PATCH", "/api/rules", json={"quiet_hours": "late"}).status_code == 400


def test_a_broken_file_is_told_and_not_written_over(house: House) -> None:
    house.context.rules.path.write_text("rules: [")
    assert len(book(house)["problems"]) == 1
    assert put(house, "/api/rules/door", DOOR, status=409)["error"].startswith("rules_unwritable: ")
    assert house.context.rules.path.read_text() == "rules: ["


def test_a_preview_compares_a_changed_rule_with_those_that_hold_and_changes_nothing(house: House) -> None:
    now = datetime.now(UTC)
    for minutes, sure in ((30, 0.9), (20, 0.5), (10, 0.9)):
        label = Label("Person", sure, (Box(0.1 * minutes / 10, 0.2, 0.1, 0.2),))
        taken_at = now - timedelta(minutes=minutes)
        house.shown(f"e{minutes}", detection=Detection((label,), 1), taken_at=taken_at)
    house.shown("long ago", taken_at=now - timedelta(days=8))
    put(house, "/api/rules/door", DOOR)
    put(house, "/api/rules/mail", {"name": "mail", "labels": {}, "outlets": ["mail"]})
    tried = {"rule": {**DOOR, "cooldown": 3600, "labels": {"Person": 0.4}}, "instead_of": "door"}
    answer = house.client.post("/api/rules/preview", json=tried)
    PreviewModel.model_validate_json(answer.text)
    found = answer.json()
    assert (found["events"], found["before"], found["after"], found["changed"]) == (3, 5, 4, 1)
    (change,) = found["changes"]
    assert (change["event_id"], change["before"]["told"]) == ("e10", True)
    assert change["after"]["reason"] == "door: cooldown, 40 min left"
    whole = {"book": {"rules": []}, "since": (now - timedelta(days=9)).isoformat(), "mode": "away"}
    assert house.client.post("/api/rules/preview", json=whole).json()["events"] == 4
    assert [rule["cooldown"] for rule in book(house)["rules"]] == [0, 0]


def test_a_preview_of_what_could_not_be_written_says_so(house: House) -> None:
    put(house, "/api/rules/door", DOOR)
    for tried, status in (
        ({}, 200),
        ({"rule": DOOR, "book": {}}, 200),
        ({"rules": []}, 400),
        ({"rule": {**DOOR, "cameras": ["Attic"]}, "instead_of": "door"}, 422),
        ({"rule": DOOR}, 422),  # there is one of this name
    ):
        assert house.client.post("/api/rules/preview", json=tried).status_code == status, tried
