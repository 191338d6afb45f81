"""Failures, split by whether trying again can help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Failure(Exception):
    """Something that a part of the service could not do, described so that an operator can act on it.

    `code` is a short stable slug (`timeout`, `login_refused`) for metrics and records; `detail` is one
    sentence for people. Neither ever holds a credential.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Transient(Failure):
    """The same attempt may succeed later."""


class Permanent(Failure):
    """The same attempt will fail again: a person has to change something first."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception with everything wrapped in it, by cause or by argument."""
    todo: list[Any] = [error]
    seen: set[int] = set()
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
