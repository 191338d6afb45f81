"""Entries of a YAML file are changed, and every line that the change does not concern stays."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pylib.settings.yaml_edit import YamlUneditable, appended, changed, removed

HOUSE = """\
# top
cameras:
  # the first
  - location: A   # tail
    masks: [[[0, 0], [0.3, 0]]]   # m
    username: x
  # the second
  - {location: B, address: 1.2.3.4}  # flow
  -
    kind: still
    location: C
    crop:
      left: 1  # x
      # within

# The broker
rabbitmq:
  a: 1"""

WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ["on", "1e3", "~", "2024-01-01", "- x", "a: b", "#", "'", '"', " x ", "null", "0x1"]
)
VALUE = st.recursive(st.booleans() | st.integers() | WORD, lambda one: st.lists(one, max_size=3), max_leaves=4)
ENTRY = st.dictionaries(st.sampled_from(["location", "kind", "crop", "masks", "username", "new"]), VALUE, min_size=1)


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


@given(ENTRY)
def test_whatever_is_appended_is_read_as_the_same_and_nothing_else_has_changed(entry: dict[str, Any]) -> None:
    text = appended(HOUSE, ("cameras",), entry)
    house = yaml.safe_load(HOUSE)
    assert yaml.safe_load(text) == {**house, "cameras": [*house["cameras"], entry]}
    assert comments(text) == comments(HOUSE)
    assert text.endswith(HOUSE[HOUSE.index("\n# The broker") :])


@given(ENTRY, st.integers(0, 2))
def test_whatever_an_entry_becomes_the_lines_around_it_stay(entry: dict[str, Any], index: int) -> None:
    text = changed(HOUSE, ("cameras", index), entry)
    assert yaml.safe_load(text)["cameras"][index] == entry
    assert set(comments(HOUSE)) - set(comments(text)) <= {"# within"}
    assert text.endswith("\n# The broker\nrabbitmq:\n  a: 1")


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ({"location": "A", "username": "x"}, "    masks: [[[0, 0], [0.3, 0]]]   # m\n", ""),
        ({"location": "A", "masks": [], "username": "x"}, "[[[0, 0], [0.3, 0]]]", "[]"),
        ({"location": "A b", "masks": [[[0, 0], [0.3, 0]]], "username": "x"}, "location: A ", "location: A b "),
        (
            {"location": "A", "masks": [[[0, 0], [0.3, 0]]], "username": "x", "n": 1},
            "username: x\n",
            "username: x\n    n: 1\n",
        ),
        ({"masks": [[[0, 0], [0.3, 0]]], "username": "x"}, "location: A   # tail\n    masks", "masks"),
    ],
)
def test_a_change_is_as_small_as_can_be(values: dict[str, Any], old: str, new: str) -> None:
    assert changed(HOUSE, ("cameras", 0), values) == HOUSE.replace(old, new, 1)


def test_an_entry_is_removed_with_its_own_comments_and_no_others() -> None:
    text = HOUSE
    for left in (["A", "B"], ["A"], []):
        text = removed(text, ("cameras", len(left)))
        assert [entry["location"] for entry in yaml.safe_load(text)["cameras"] or []] == left
    assert comments(text) == ["# top", "# the first", "# the second", "# within", "# The broker"]
    assert removed("a: [{b: 1}, {b: 2}]  # c\n", ("a", 0)) == "a: [{b: 2}]  # c\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "cameras:\n  - l: A\n"),
        ("# only\n", "# only\n\ncameras:\n  - l: A\n"),
        ("cameras: []  # none\n", "cameras:\n  - l: A  # none\n"),
        ("cameras:\n# c\nx: 1\n", "cameras:\n  - l: A\n# c\nx: 1\n"),
        ("cameras:\n- l: B\nx: 1", "cameras:\n- l: B\n- l: A\nx: 1"),
        ("cameras: [{l: B}]\n", "cameras: [{l: B}, {l: A}]\n"),
        ("x: |\n  text\n", "x: |\n  text\n\ncameras:\n  - l: A\n"),
    ],
)
def test_a_list_is_made_where_there_is_none_and_goes_on_as_it_is_written(text: str, expected: str) -> None:
    assert appended(text, ("cameras",), {"l": "A"}) == expected


def test_a_list_in_a_section_is_made_too() -> None:
    assert appended("ftp:\n  port: 1  # p\nx: 1\n", ("ftp", "logins"), {"l": "A"}) == (
        "ftp:\n  port: 1  # p\n  logins:\n    - l: A\nx: 1\n"
    )
    assert appended("x: 1\n", ("ftp", "logins"), {"l": "A"}) == "x: 1\n\nftp:\n  logins:\n    - l: A\n"


@pytest.mark.parametrize("text", ["{x: 1}\n", "ftp: {port: 1}\n", "a: &a {}\nftp: *a\n"])
def test_what_only_a_person_can_change_is_refused(text: str) -> None:
    with pytest.raises(YamlUneditable):
        appended(text, ("ftp", "logins") if "ftp" in text else ("cameras",), {"l": "A"})


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("cameras:\n  - &one {l: A, t: 1}\n  - *one\n", 0),
        ("cameras:\n  - &one\n    l: A\n    t: 1\n  - *one\n", 0),
        ("cameras:\n  - &one\n    l: A\n    t: 1\n  - <<: *one\n    l: C\n", 1),
    ],
)
def test_what_stands_for_something_else_is_not_changed_elsewhere(text: str, index: int) -> None:
    with pytest.raises(YamlUneditable):
        changed(text, ("cameras", index), {"l": "B"})


def test_what_an_entry_inherits_can_be_changed_for_it_alone() -> None:
    merged = "cameras:\n  - &one\n    l: A\n    t: 1\n  - <<: *one\n    l: B\n"
    assert yaml.safe_load(changed(merged, ("cameras", 1), {"l": "B", "t": 2}))["cameras"] == [
        {"l": "A", "t": 1},
        {"l": "B", "t": 2},
    ]
