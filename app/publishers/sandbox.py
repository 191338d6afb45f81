"""Jinja2's sandbox, in which a template also comes to its end: loops and calls are counted, products stay small."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_STEPS = 20_000
"""Turns of all loops, and calls, of one rendering."""
LONGEST_S = 2.0
"""Seconds after which no further step is begun."""
LARGEST_NUMBER = 10**15
LARGEST_POWER = 64
LONGEST_PRODUCT = 100_000
"""Characters or elements of what is repeated by `*`, padded or replaced."""

_WIDTH = re.compile(r"[%:][^%:{}a-zA-Z\s]*?([0-9]{4,})")
"""Of a format such as `%06d` or `{:>20}`, where it is large."""
_TOO_LONG = f"a text would have more than {LONGEST_PRODUCT} characters"


@dataclass(slots=True)
class _Budget:
    steps: int
    until: float
    """Processor time of this thread, in seconds: how busy the machine is says nothing about a template."""

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise ValueError(f"it takes more than {MOST_STEPS} steps")
        if time.thread_time() > self.until:
            raise ValueError(f"it takes longer than {LONGEST_S:g} s")


_budget: ContextVar[_Budget] = ContextVar("budget")


@contextmanager
def budgeted() -> Iterator[None]:
    """Templates may only be rendered in this block, which they share."""
    mark = _budget.set(_Budget(MOST_STEPS, time.thread_time() + LONGEST_S))
    try:
        yield
    finally:
        _budget.reset(mark)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Names that nothing stands behind are errors; nothing is escaped.

    It guards against mistakes. Whoever writes the configuration can do worse than fill the memory.
    """

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.filters["counted"] = _counted
        self.filters["replace"] = _replace
        for name in ("center", "format", "indent", "replace"):
            self.filters[name] = _checked(name, self.filters[name])

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        _budget.get().spend()
        method = getattr(obj, "__wrapped__", obj)  # `format` comes wrapped
        if isinstance(text := getattr(method, "__self__", None), str):
            _check(text, method.__name__, (*args, *kwargs.values()))
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Raises ValueError instead of making what would fill the memory."""
        if operator == "%":
            if isinstance(left, str):
                _check(left, "format", ())
            return super().call_binop(context, operator, left, right)
        sides = (left, right)
        if any(isinstance(side, int) and abs(side) > LARGEST_NUMBER for side in sides):
            raise ValueError("a number is too large")
        if operator == "**" and abs(right) > LARGEST_POWER:
            raise ValueError("a power is too large")
        size = max((len(side) for side in sides if hasattr(side, "__len__")), default=0)
        if size and size * max((side for side in sides if isinstance(side, int)), default=0) > LONGEST_PRODUCT:
            raise ValueError(_TOO_LONG)
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        return tree


def _check(text: str, method: str, values: Sequence[object]) -> None:
    """Raises ValueError where a method would make far too much of a text."""
    if method == "replace":
        old, new = (*map(str, values), "", "")[:2]
        longest = text.count(old) * len(new)
    elif method in ("format", "format_map"):
        longest = max(map(int, _WIDTH.findall(text)), default=0)
    else:
        longest = max((value for value in values if isinstance(value, int)), default=0)
    if longest > LONGEST_PRODUCT:
        raise ValueError(_TOO_LONG)


def _checked(name: str, function: Callable[..., str]) -> Callable[..., str]:
    def checked(text: object, *args: object, **kwargs: object) -> str:
        _check(str(text), name, (*args, *kwargs.values()))
        return function(text, *args, **kwargs)

    return checked


def _replace(text: object, old: object, new: object, count: int | None = None) -> str:
    """Jinja2's own wants to know whether texts are escaped, and so cannot be checked like the others."""
    return str(text).replace(str(old), str(new), -1 if count is None else count)


def _counted(values: Iterable[object]) -> Iterator[object]:
    """The same, each at the price of a step."""
    for value in values:
        _budget.get().spend()
        yield value
