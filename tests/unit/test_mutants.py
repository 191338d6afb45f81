"""The lists of mutants fit the code: what they change is there, and what must notice it."""

from __future__ import annotations

import ast
import math
from functools import cache

import pytest

from tests.mutants.changes import applied, changes
from tests.mutants.copies import ROOT, Mutant, recorded


def test_every_recorded_mutant_fits_the_code() -> None:
    assert [f"{mutant.area}: {mutant.name}: {reason}" for mutant in recorded() if (reason := _misfit(mutant))] == []


def _misfit(mutant: Mutant) -> str:
    """Why it cannot be tried; empty when it can."""
    text = _text(mutant.file)
    changed = mutant.applied(text)
    if changed is None:
        return f"what it changes occurs {text.count(mutant.old)} times in {mutant.file}"
    if changed == text:
        return "it changes nothing"
    if not mutant.tests:
        return "no test is named"
    if missing := [test for test in mutant.tests if not (ROOT / test).is_file()]:
        return f"no file is called {', '.join(missing)}"
    return ""


def test_every_recorded_mutant_is_still_a_program() -> None:
    waiting: dict[str, list[Mutant]] = {}
    for mutant in (one for one in recorded() if not _misfit(one)):
        waiting.setdefault(mutant.file, []).append(mutant)
    broken: list[str] = []
    while waiting:  # parsing takes time: all of a file together, as far as they do not overlap
        for file, mutants in [*waiting.items()]:
            tried, waiting[file] = _apart(mutants)
            if not waiting[file]:
                del waiting[file]
            if not _parses(_with(_text(file), tried)):
                broken += [one.name for one in tried if not _parses(_with(_text(file), [one]))]
    assert broken == []


def _apart(mutants: list[Mutant]) -> tuple[list[Mutant], list[Mutant]]:
    """Those that change different places of their file, from its end to its beginning, and the others."""
    apart: list[Mutant] = []
    others: list[Mutant] = []
    begin = math.inf
    for mutant in sorted(mutants, key=_place, reverse=True):
        if _place(mutant) + len(mutant.old) <= begin:
            apart.append(mutant)
            begin = _place(mutant)
        else:
            others.append(mutant)
    return apart, others


def _place(mutant: Mutant) -> int:
    return _text(mutant.file).index(mutant.old)


def _with(text: str, mutants: list[Mutant]) -> str:
    for mutant in mutants:
        text = text[: _place(mutant)] + mutant.new + text[_place(mutant) + len(mutant.old) :]
    return text


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@cache
def _text(file: str) -> str:
    return (ROOT / file).read_text()


def test_no_two_recorded_mutants_have_one_name() -> None:
    names = [(mutant.area, mutant.name) for mutant in recorded()]

    assert len(names) == len(set(names))


SOURCE = '''\
from typing import Protocol

class Face(Protocol):
    def look(self, at: int = 1) -> None: ...

def watch(log, house, limit: "int < 3"):
    """Not this: if limit < 3."""
    log.info("seen", doors=2)
    house.open(wait=True,
        help="Waits.")
    if limit < 2 and house:
        house.close()
    try:
        return limit
    except OSError:
        house.mend()
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    house.close()", "    pass"),
        ("return limit", "pass"),
        ("house.mend()", "pass"),
        ("limit < 2 and", "limit <= 2 and"),
        ("limit < 2 and", "limit < 3 and"),
        ("2 and house", "2 or house"),
        ("if limit < 2 and house:", "if (not (limit < 2 and house)):"),
        ("wait=True", "wait=False"),
        ("wait=True,\n        ", ""),
    ],
)
def test_random_changes_are_small_and_change_what_runs(old: str, new: str) -> None:
    made = {applied(SOURCE.encode(), change).decode() for change in changes(SOURCE.encode())}

    assert SOURCE.replace(old, new) in made


def test_what_is_only_said_is_left_alone() -> None:
    lines = {SOURCE.encode()[: change.start].count(b"\n") + 1 for change in changes(SOURCE.encode())}

    assert lines == {9, 11, 12, 14, 16}
