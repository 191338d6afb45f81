"""What people may write into a template, and what becomes of mistakes."""

from __future__ import annotations

import pytest

from app.publishers import PublishError
from app.publishers.templates import LONGEST, Template


def test_values_are_filled_in() -> None:
    template = Template("{{ persons }} at {{ place }}{% if link %}: {{ link }}{% endif %}\n", "publishers.phone.text")
    assert template.render({"persons": 2, "place": "Front <Door>", "link": ""}) == "2 at Front <Door>"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ place", "unexpected end of template"),
        ("one\n{% if %}", "line 2"),
        ("{{ plaec }}", "'plaec' is undefined"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ place.__class__.__mro__ }}", "unsafe"),
        ("{{ labels.append('x') }}", "is unsafe"),
        ("{% for n in range(9999) %}{{ 'a' * 1000 }}{% endfor %}", f"more than {LONGEST} characters"),
    ],
)
def test_a_mistake_names_the_setting_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(PublishError) as failed:
        Template(text, "publishers.phone.text").render({"place": "Hall", "labels": ["Dog"]})
    assert failed.value.code == "bad_template"
    assert failed.value.detail.startswith("The template publishers.phone.text fails: ")
    assert reason in failed.value.detail
