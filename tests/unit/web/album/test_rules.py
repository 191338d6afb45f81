"""The pages of rules: a list in words, a form with a preview, mode and quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.messages import Detection, Label
from app.rules.evaluate import Outlets
from app.rules.model import DAYS, Rule
from app.rules.telling import MODES
from app.web.album.rule_form import fields_of, rule_of, sentence
from app.web.application import application
from app.web.context import WebContext
from tests.fakes.web import FRONT, Client, serving, shown
from tests.unit.web.album.pages import PAGE, look, post

RULES = """\
rules:
- {name: door, cameras: [Front Door], labels: {Person: 0.6}, zones: [porch], outlets: [phone]}
zones:
- {camera: Front Door, name: porch, points: [[0, 0.5], [1, 0.5], [1, 1]]}
still: {after: 60, overlap: 0.7}
"""
FORM = {"name": "door", "label": ["Person", ""], "least": ["60", ""], "cameras": ["Front Door"]}

TEXT = st.sampled_from(["Person", "Dog", "Küche", "Front Door", "a rule"])
TICKS = st.lists(TEXT, unique=True, max_size=3).map(tuple)
SHARE = st.integers(0, 1000).map(lambda permille: permille / 1000)


@settings(max_examples=50)
@given(
    st.builds(
        Rule,
        name=TEXT,
        cameras=TICKS,
        labels=st.dictionaries(TEXT, SHARE, max_size=3),
        zones=TICKS,
        min_size=SHARE,
        days=st.lists(st.sampled_from(DAYS), unique=True).map(tuple),
        hours=st.sampled_from(["", "22:00-06:30"]),
        modes=st.lists(st.sampled_from(MODES), unique=True).map(tuple),
        cooldown=st.integers(0, 7 * 86_400),
        outlets=TICKS,
        urgent=st.booleans(),
    )
)
def test_the_form_of_a_rule_makes_that_rule(rule: Rule) -> None:
    assert rule_of(fields_of(rule)) == rule


def test_a_rule_is_told_in_words() -> None:
    rule = Rule(
        name="door",
        cameras=("Front Door", "Yard"),
        labels={"Person": 0.6, "Dog": 0},
        zones=("porch",),
        min_size=0.015,
        days=("tue", "mon"),
        hours="22:00-06:30",
        modes=("away", "night"),
        cooldown=300,
        outlets=("phone", "mail"),
        urgent=True,
    )
    assert sentence(rule, {"Front Door": "Front"}) == (
        "phone and mail are told of Person (at least 60 %) or Dog in zone porch at Front or Yard; "
        "at least 1.5 % of the picture; Mon, Tue, 22:00\N{EN DASH}06:30; in mode away or night; "
        "at most every 5 min for each camera; in quiet hours too."
    )
    assert sentence(Rule(name="all", labels={}), {}) == "Everyone is told of every event."


def test_without_rules_the_page_says_that_everything_is_told(client: Client) -> None:
    assert "Everything is told" in look(client, "/rules").text


def test_without_anybody_to_tell_it_says_so_and_where_to_read_on(context: WebContext) -> None:
    with serving(application(replace(context, outlets=Outlets(("rabbitmq",))))) as client:
        page = look(client, "/rules").text
        assert "Nothing tells people yet" in page
        assert "docs/" not in page  # the browser has no such page
        assert "this rule counts as soon as" in look(client, "/rules/new").text
        assert "Everything is told" not in page


def test_rules_stand_there_in_words_and_what_is_wrong_with_the_file(context: WebContext, client: Client) -> None:
    context.rules.path.write_text(RULES)
    assert "phone is told of Person (at least 60 %) in zone porch at Front." in look(client, "/rules").text
    context.rules.path.write_text(RULES + "more: 1\n")
    page = look(client, "/rules").text
    assert "the rules before it hold" in page
    assert "more" in page
    assert "in zone porch" in page


def test_a_rule_is_added_renamed_and_deleted(context: WebContext, client: Client) -> None:
    assert post(client, "/rules/new", data=FORM) == "/rules"
    assert context.rules.book.rules == (Rule(name="door", cameras=("Front Door",), labels={"Person": 0.6}),)
    assert {"name": "cameras", "type": "checkbox", "value": "Front Door", "checked": ""} in look(
        client, "/rules/door/edit"
    ).all("input")
    post(client, "/rules/door/edit", data={**FORM, "name": "the door", "cooldown": "1.5", "urgent": "1"})
    (rule,) = context.rules.book.rules
    assert (rule.name, rule.cooldown, rule.urgent) == ("the door", 90, True)
    assert post(client, "/rules/the%20door/delete") == "/rules"
    assert not context.rules.book.rules
    look(client, "/rules/door/edit", status=404)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"name": ""}, 400, "name"),
        ({"least": ["lots", ""]}, 400, "Person, at least: 'lots' is no number"),
        ({"begin": "22:00"}, 400, "two times of day"),
        ({"cameras": ["Attic"]}, 422, "'Attic' is no camera"),
        ({"name": "other"}, 422, "there is a rule 'other' already"),
    ],
)
def test_a_rule_that_cannot_be_comes_back_with_what_was_typed(
    context: WebContext, client: Client, change: dict[str, str], status: int, words: str
) -> None:
    context.rules.path.write_text("rules: [{name: door}, {name: other}]")
    answer = client.post("/rules/door/edit", data={**FORM, **change}, headers=PAGE)
    assert answer.status_code == status
    assert words.replace("'", "&#39;") in answer.text
    assert 'value="Person"' in answer.text
    assert [rule.name for rule in context.rules.book.rules] == ["door", "other"]


def test_a_form_may_have_many_boxes_but_not_any_number(client: Client) -> None:
    assert client.post("/rules/new", data={**FORM, "zones": ["x"] * 600}, headers=PAGE).status_code == 400


def test_a_preview_shows_what_an_unsaved_rule_would_change(context: WebContext, client: Client, tmp_path: Path) -> None:
    context.rules.path.write_text(RULES.replace("zones: [porch], ", ""))
    for number, sure in enumerate((0.9, 0.5)):
        at = datetime.now(UTC) - timedelta(minutes=number)
        shown(context, tmp_path, f"e{number}", taken_at=at, detection=Detection((Label("Person", sure),), 1))
    tried = {**FORM, "least": ["40", ""], "outlets": "phone", "instead_of": "door"}
    part = client.post("/rules/preview", data=tried, headers={**PAGE, "HX-Request": "true"}).text
    assert "<b>4 messages</b>" in part
    assert "1 more than now" in part
    assert part.count('href="/snapshots/e1"') == 1
    away = client.post("/rules/preview", data={**tried, "modes": "away"}, headers=PAGE).text
    assert "in mode away" in away
    half = client.post("/rules/preview", data={**tried, "least": ["x", ""]}, headers=PAGE)
    assert (half.status_code, "is no number" in half.text) == (200, True)
    assert context.rules.book.rules[0].labels == {"Person": 0.6}


def test_the_mode_is_switched(context: WebContext, client: Client) -> None:
    assert post(client, "/rules/mode", data={"mode": "night"}) == "/rules"
    assert context.telling.mode == "night"
    assert client.post("/rules/mode", data={"mode": "party"}, headers=PAGE).status_code == 400


def test_what_holds_for_all_rules_is_set_and_the_rest_of_the_file_stays(context: WebContext, client: Client) -> None:
    context.rules.path.write_text(RULES)
    form = {"begin": "23:00", "end": "06:00", "digest_after": "5", "digest_within": "20", "still_after": "2"}
    assert post(client, "/rules/settings", data=form) == "/rules"
    book = context.rules.book
    assert (book.quiet_hours, book.digest.after, book.digest.within) == ("23:00-06:00", 5, 1200)
    assert (book.still.after, book.still.overlap, len(book.rules)) == (120, 0.7, 1)
    answer = client.post("/rules/settings", data={**form, "end": ""}, headers=PAGE)
    assert (answer.status_code, "two times of day" in answer.text) == (400, True)


def test_a_camera_s_page_shows_its_zones(context: WebContext, client: Client, tmp_path: Path) -> None:
    context.rules.path.write_text(RULES)
    shown(context, tmp_path, camera=FRONT)
    (polygon,) = look(client, "/cameras/front-door").all("polygon")
    assert (polygon["data-zone"], polygon["points"].split()) == ("porch", ["0.0,0.5", "1.0,0.5", "1.0,1.0"])
