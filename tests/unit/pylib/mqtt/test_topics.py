"""Which topics and filters MQTT has, and which of them meet."""

from __future__ import annotations

import pytest

from pylib.mqtt.topics import is_filter, is_topic, matches


@pytest.mark.parametrize("topic", ["a", "a/b", "/", "a//b", "käse/tür", "a b"])
def test_a_topic_may_be_any_text(topic: str) -> None:
    assert is_topic(topic)
    assert is_filter(topic)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a/b+", "a\0b", "$SYS/broker", "\ud800", "ä" * 40_000])
def test_a_topic_has_no_wildcard_and_no_null_and_an_end(topic: str) -> None:
    assert not is_topic(topic)


@pytest.mark.parametrize("pattern", ["#", "+", "a/#", "+/a/+", "a/+/#"])
def test_a_filter_may_have_wildcards_as_levels_of_their_own(pattern: str) -> None:
    assert is_filter(pattern)


@pytest.mark.parametrize("pattern", ["", "a#", "#/a", "a/b+", "+a", "a/#/b", "a\0b"])
def test_other_wildcards_are_none(pattern: str) -> None:
    assert not is_filter(pattern)


@pytest.mark.parametrize(
    ("topic", "pattern", "meets"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/+", True),
        ("a/b/c", "a/+", False),
        ("a", "a/+", False),
        ("a/b/c", "a/#", True),
        ("a", "a/#", True),
        ("b/c", "a/#", False),
        ("a/b", "#", True),
        ("a/b", "a/B", False),
        ("a/b", "a", False),
    ],
)
def test_a_filter_names_topics_level_by_level(topic: str, pattern: str, meets: bool) -> None:
    assert matches(topic, pattern) is meets
