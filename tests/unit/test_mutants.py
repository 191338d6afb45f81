"""The lists of mutants fit the code: what they change is there, and what must notice it."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.changes import applied, changes
from tests.mutants.copies import ROOT, Mutant, recorded


@pytest.mark.parametrize("mutant", recorded(), ids=lambda mutant: f"{mutant.area}: {mutant.name}")
def test_a_recorded_mutant_fits_the_code(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text()

    changed = mutant.applied(text)

    assert changed is not None, f"what it changes occurs {text.count(mutant.old)} times in {mutant.file}"
    assert changed != text
    ast.parse(changed)
    assert mutant.tests
    assert [test for test in mutant.tests if not (ROOT / test).is_file()] == []


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
    house.open(wait=True)
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
        ("wait=True", ""),
    ],
)
def test_random_changes_are_small_and_change_what_runs(old: str, new: str) -> None:
    made = {applied(SOURCE.encode(), change).decode() for change in changes(SOURCE.encode())}

    assert SOURCE.replace(old, new) in made


def test_what_is_only_said_is_left_alone() -> None:
    lines = {SOURCE.encode()[: change.start].count(b"\n") + 1 for change in changes(SOURCE.encode())}

    assert lines == {9, 10, 11, 13, 15}
