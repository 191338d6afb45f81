"""Other programs' JSON as triggers: which field becomes what, and which mistake is said how."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.config.settings import load
from app.sources.hooks import Hook, HookSettings, PayloadRefused
from pylib.settings.draft import ConfigError

CAMERAS = {"Front Door Camera": "Front", "Yard Camera": "Yard"}


def hook(**settings: Any) -> Hook:
    given = {"camera": "yard"} | ({"camera": ""} if "camera_from" in settings else {})
    return Hook(HookSettings(name="x", **{**given, **settings}), cameras=CAMERAS)


def test_without_more_a_hook_is_a_trigger_of_now_with_all_that_came() -> None:
    trigger = hook().trigger({"a": {"b": 1}}, traceparent="nonsense")
    assert (trigger.camera, trigger.label, trigger.origin) == ("Yard Camera", "Yard", "http")
    assert abs((datetime.now(UTC) - trigger.timestamp).total_seconds()) < 60
    assert (trigger.active_input, trigger.traceparent) == ({"a": {"b": 1}}, "")


@pytest.mark.parametrize("payload", [[1, 2], "ON", 3, None, True])
def test_any_json_will_do(payload: object) -> None:
    assert hook().unmet(payload) == ""
    assert hook().trigger(payload).active_input is None


def test_what_the_settings_name_is_taken_from_the_json() -> None:
    made = hook(camera_from="to.0", label_from="who", timestamp_from="at", active_input_from="more")
    payload = {"to": ["front_door"], "who": " Postman ", "at": "2026-11-20T19:03:14Z", "more": {"x": 1}}
    trigger = made.trigger(payload)
    assert (trigger.camera, trigger.label, trigger.active_input) == ("Front Door Camera", "Postman", {"x": 1})
    assert trigger.timestamp == datetime(2026, 11, 20, 19, 3, 14, tzinfo=UTC)
    bare = made.trigger({"to": ["Yard Camera"], "who": None, "more": "text"})
    assert (bare.label, bare.active_input) == ("Yard", None)


@pytest.mark.parametrize("at", [1795201394, 1795201394.0, "1795201394", 1795201394000, 1795201394000.0])
def test_times_may_be_in_milliseconds(at: object) -> None:
    assert hook(timestamp_from="at").trigger({"at": at}).timestamp.timestamp() == 1795201394


@pytest.mark.parametrize(
    ("settings", "payload", "said"),
    [
        ({"camera_from": "a.camera"}, {}, "a.camera is missing"),
        ({"camera_from": "a.camera"}, {"a": {"camera": 3}}, "a.camera must be text, not a number"),
        ({"camera_from": "a"}, {"a": "cellar"}, "no camera 'cellar'; there are: Front Door Camera, Yard Camera"),
        ({"camera_from": "a"}, {"a": "x" * 201}, "a has 201 characters, more than 200"),
        ({"label_from": "b.who"}, {"b": {"who": ["x"]}}, "b.who must be text, not a list"),
        ({"label_from": "who"}, {"who": "x\x00y"}, "who holds control characters"),
        ({"timestamp_from": "b.at"}, {"b": {"at": "noon"}}, "b.at: timestamp is neither"),
        ({"timestamp_from": "at"}, {"at": True}, "at: timestamp must be unix seconds"),
        ({"timestamp_from": "at"}, {"at": 10**30}, "at: timestamp is out of range"),
        ({"active_input_from": "b"}, {"b": {"n": 2**70}}, "b: active_input holds numbers or text that MessagePack"),
        ({"active_input_from": "b"}, {"b": {"n": "x" * 70_000}}, "b: active_input takes 70008 bytes, more than 65536"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(settings: dict[str, Any], payload: object, said: str) -> None:
    with pytest.raises(PayloadRefused) as raised:
        hook(**settings).trigger(payload)
    assert said in raised.value.detail


@pytest.mark.parametrize(
    ("payload", "passed_on"),
    [
        ({"n": 2**70, "name": "\ud83d", "\ud83d": 1, "a": [1, 2**70, {"b": -(2**70), "c": 2}]}, {"a": [1, {"c": 2}]}),
        ({"n": "x" * 70_000}, None),
    ],
)
def test_fields_that_nobody_asked_for_cost_no_trigger(payload: object, passed_on: object) -> None:
    assert hook().trigger(payload).active_input == passed_on


def test_json_without_a_bottom_is_refused_before_it_is_looked_at() -> None:
    payload: dict[str, Any] = {}
    for _ in range(40):
        payload = {"a": payload}
    with pytest.raises(PayloadRefused, match="more than 32 levels"):
        hook().unmet(payload)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("name: x", "hooks[0] (line 3): needs either camera or camera_from"),
        ("name: x, camera: yard, camera_from: a", "hooks[0] (line 3): needs either camera or camera_from"),
        ("name: x, camera: cellar", "hooks[0].camera (line 3): no camera 'cellar'; there are: Yard Camera"),
        ("name: A b, camera: yard", "hooks[0].name (line 3)"),
        ("name: x, camera: yard, when: {a: []}", "hooks[0].when (line 3): a: an empty list is never met"),
        ("name: x, camera: yard, when: {a: {over: 1}}", "hooks[0].when (line 3): a: bounds are `above` and `below`"),
        ("name: x, camera: yard, when: a", "hooks[0].when (line 3): must be a map"),
        ("name: x, camera: yard}, {name: x, camera: yard", "hooks[1] (line 3): 'x' is what hooks[0] is called already"),
    ],
)
def test_a_mistake_in_the_settings_is_said_at_its_place(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "config.yml"
    file.write_text(f"cameras: [{{kind: demo, location: Yard}}]\nhooks:\n  [{{{lines}}}]\n")
    with pytest.raises(ConfigError) as raised:
        load(file, {}, secrets=tmp_path)
    assert [problem.removeprefix(f"{file}: ")[: len(said)] for problem in raised.value.problems] == [said]


def test_the_environment_has_a_condition_as_json(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text("cameras: [{kind: demo, location: Yard}]\n")
    environ = {"HOOK_1_NAME": "door", "HOOK_1_CAMERA": "yard", "HOOK_1_WHEN": '{"contact": false}'}
    (made,) = load(tmp_path / "c.yml", environ, secrets=tmp_path).hooks
    assert made.when == {"contact": False}
