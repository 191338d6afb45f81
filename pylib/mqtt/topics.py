"""Topics and filters after the MQTT specification, section 4.7."""

from __future__ import annotations

LONGEST = 65_535
"""Bytes of a topic."""


def is_topic(text: str) -> bool:
    """Whether something can be published under it by us: not empty, no wildcard, no null, none of the broker's own."""
    return _is_name(text) and not set(text) & set("+#")


def is_filter(text: str) -> bool:
    """Whether it can be subscribed to: `+` is a level of its own, `#` the last one."""
    levels = text.split("/")
    return (
        _is_name(text)
        and all(level == "+" or "+" not in level for level in levels)
        and all("#" not in level for level in levels[:-1])
        and (levels[-1] == "#" or "#" not in levels[-1])
    )


def matches(topic: str, pattern: str) -> bool:
    """Whether a topic is one of those that a filter names."""
    levels, wanted = topic.split("/"), pattern.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        levels = levels[: len(wanted)]  # `a/#` is `a` as well
    return len(levels) == len(wanted) and all(w in ("+", level) for level, w in zip(levels, wanted, strict=True))


def _is_name(text: str) -> bool:
    # A surrogate has no UTF-8, and what begins with $ belongs to the broker.
    if not text or "\0" in text or text.startswith("$"):
        return False
    try:
        return len(text.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False
