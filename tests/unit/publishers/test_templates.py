"""What people may write into a template, and what becomes of mistakes."""

from __future__ import annotations

import pytest

from app.publishers import PublishError, sandbox
from app.publishers.sandbox import MOST_STEPS
from app.publishers.templates import LONGEST, Template


def test_values_are_filled_in() -> None:
    template = Template("{{ persons }} at {{ place }}{% if link %}: {{ link }}{% endif %}\n", "publishers.phone.text")
    assert template.render({"persons": 2, "place": "Front <Door>", "link": ""}) == "2 at Front <Door>"


def test_values_are_reckoned_with() -> None:
    template = Template("{{ persons * 5 }} fingers {{ 'at ' + place }}{{ '!' * persons }}", "publishers.phone.text")
    assert template.render({"persons": 2, "place": "Door"}) == "10 fingers at Door!!"


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
        (
            "{% for a in range(99999) %}{% for b in range(99999) if a > b %}{% endfor %}{% endfor %}",
            f"more than {MOST_STEPS} steps",
        ),
        ("{% macro a(n) %}{% if n %}{{ a(n - 1) }}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(99) }}", "steps"),
        ("{{ 9 ** 999999999 }}", "a power is too large"),
        ("{% set x = namespace(n=9) %}{% for i in range(99) %}{% set x.n = x.n * x.n %}{% endfor %}", "too large"),
        ("{{ 'a' * 999999999 }}", "would have more than"),
        ("{{ 999999999 * [1] }}", "would have more than"),
        ("{{ '%0999999999d' % 1 }}", "would have more than"),
        ("{{ '%-999999999s' | format('a') }}", "would have more than"),
        ("{{ '{:>999999999}'.format(1) }}", "would have more than"),
        ("{{ 'a' | center(999999999) }}", "would have more than"),
        ("{{ 'a' | center(width=999999999) }}", "would have more than"),
        ("{{ 'a'.ljust(999999999) }}", "would have more than"),
        ("{{ ('a' * 99999) | replace('a', 'a' * 99999) }}", "would have more than"),
        ("{{ ('a' * 99999).replace('a', 'a' * 99999) }}", "would have more than"),
    ],
)
def test_a_mistake_names_the_setting_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(PublishError) as failed:
        Template(text, "publishers.phone.text").render({"place": "Hall", "labels": ["Dog"]})
    assert failed.value.code == "bad_template"
    assert failed.value.detail.startswith("The template publishers.phone.text fails: ")
    assert reason in failed.value.detail


def test_loops_know_their_place_and_numbers_are_reckoned() -> None:
    text = "{% for n in labels %}{{ loop.index }}/{{ loop.length }} {{ n }}{{ '' if loop.last else ', ' }}{% endfor %}"
    assert Template(text, "x").render({"labels": ["Dog", "Cat"]}) == "1/2 Dog, 2/2 Cat"
    assert Template("{{ (score * 100) | round | int }} % {{ '-' * 3 }}", "x").render({"score": 0.876}) == "88 % ---"


def test_texts_are_formatted_padded_and_replaced() -> None:
    text = "{{ '%.2f' % 0.876 }} {{ '%d of 10000000' % 1234567890123456789 }} {{ '{:>4}|{}'.format(7, 12345678) }}"
    assert Template(text, "x").render({}) == "0.88 1234567890123456789 of 10000000    7|12345678"
    text = (
        "{{ place | center(8) }}|{{ place | replace('a', 'e') }}{{ place.replace('l', '', 1) }}|{{ 7 | replace(7, 8) }}"
    )
    assert Template(text, "x").render({"place": "Hall"}) == "Hall  |HellHal|8"
    assert (
        Template("{{ 7 % 4 }}{{ '%s' | format('a') }}{{ 'aaa' | replace('a', 'b', count=2) }}", "x").render({})
        == "3abba"
    )


def test_a_template_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "LONGEST_S", -1.0)
    with pytest.raises(PublishError, match="takes longer than"):
        Template("{% for n in [1] %}{% endfor %}", "x").render({})
