"""The recipes' hooks take what the recipes say is sent, and the signature is checked as the page shows."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from app.config.settings import load
from app.naming import slug
from app.publishers.webhook.signature import signature
from app.sources.hooks import Hook
from tests.unit.docs.pages import blocks, text

PAGE = "docs/webhooks.md"
CAMERAS = {"Front Door Camera": "Front Door", "Yard Camera": "Yard"}
RECIPES = dict(part.split("\n", 1) for part in text(PAGE).partition("### Recipes")[2].split("#### ")[1:])
"""Heading -> what stands below it."""


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Hook]:
    folder = tmp_path_factory.mktemp("config")
    (shown,) = (block.text for block in blocks("yaml") if block.page == PAGE and "hooks:" in block.text)
    (folder / "config.yml").write_text(shown)
    settings = load(folder / "config.yml", {}, secrets=folder)
    return {hook.name: Hook(hook, cameras=CAMERAS) for hook in settings.hooks}


def sent(recipe: str) -> Any:
    """What the recipe's sender sends."""
    return json.loads(RECIPES[recipe].partition("```json\n")[2].partition("```")[0])


def test_every_hook_has_a_recipe_and_every_recipe_a_hook(hooks: dict[str, Hook]) -> None:
    assert {slug(recipe) for recipe in RECIPES} == set(hooks)
    assert len(hooks) == 7


@pytest.mark.parametrize(
    ("recipe", "camera", "at"),
    [
        ("Frigate", "Front Door Camera", 1607123955.475377),
        ("Zigbee2MQTT", "Front Door Camera", 1795201394.722),
        ("Shelly", "Front Door Camera", None),
        ("ESPHome", "Yard Camera", None),
        ("Node-RED", "Yard Camera", None),
        ("Home Assistant", "Front Door Camera", 1795201394.722575),
        ("Alarmo", "Front Door Camera", None),
    ],
)
def test_what_a_recipe_sends_is_a_trigger(hooks: dict[str, Hook], recipe: str, camera: str, at: float | None) -> None:
    hook = hooks[slug(recipe)]
    assert hook.unmet(sent(recipe)) == ""
    trigger = hook.trigger(sent(recipe))
    assert trigger.camera == camera
    assert trigger.timestamp.timestamp() == pytest.approx(at or time.time(), abs=0 if at else 60)
    assert trigger.active_input


@pytest.mark.parametrize(
    ("recipe", "change", "said"),
    [
        ("Frigate", {"type": "end"}, "type is 'end', not 'new'"),
        ("Frigate", {"after": {"label": "dog"}}, "after.label is 'dog', not 'person' or 'car'"),
        ("Zigbee2MQTT", {"contact": True}, "contact is true, not false"),
        ("Shelly", {"info": {"event": "btn_down"}}, "info.event is 'btn_down', not 'single_push'"),
        ("ESPHome", {"motion": "off"}, "motion is 'off', not true"),
        ("Node-RED", {"payload": {"lux": "220"}}, "payload.lux is '220', not below 50"),
        ("Home Assistant", {"to": "off"}, "to is 'off', not 'on'"),
        ("Alarmo", {"event": "ARM_AWAY"}, "event is 'ARM_AWAY', not 'TRIGGER'"),
    ],
)
def test_what_else_is_sent_is_none(hooks: dict[str, Hook], recipe: str, change: dict[str, Any], said: str) -> None:
    assert hooks[slug(recipe)].unmet({**sent(recipe), **change}) == said


def test_the_program_of_the_page_tells_a_genuine_request() -> None:
    (shown,) = (block.text for block in blocks("python") if block.page == PAGE)
    module: dict[str, Any] = {}
    exec(shown, module)
    now, body = int(time.time()), b'{"version": 1}'
    is_genuine = module["is_genuine"]
    assert is_genuine("k3y", signature("k3y", body, at=now), body)
    assert not is_genuine("k3y", signature("k3y", body, at=now - 900), body)
    assert not is_genuine("other", signature("k3y", body, at=now), body)
    assert not is_genuine("k3y", signature("k3y", body, at=now), body + b" ")
