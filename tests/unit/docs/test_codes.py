"""The page of codes names those that there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.docs.pages import ROOT, first_cells

PAGE = "docs/codes.md"


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def raised_codes(path: Path) -> set[str]:
    """The first argument of every call in a file that makes a failure."""
    return {
        call.args[0].value
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id.startswith(("Camera", "Detector", "BadPicture"))
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_every_code_that_is_explained_is_one() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources("app", "pylib"))
    # As an exception's first argument, or at the beginning of a sentence.
    unknown = {code for code in first_cells(PAGE) if f'"{code}"' not in text and f'"{code}: ' not in text}
    assert len(first_cells(PAGE)) > 50
    assert unknown == set()


def test_every_code_of_cameras_detectors_and_pictures_is_explained() -> None:
    folders = ("app/cameras", "app/detectors", "app/media")
    raised = set().union(*(raised_codes(path) for path in sources(*folders)))
    assert "timeout" in raised
    assert raised - first_cells(PAGE) == set(), f"explain them in {PAGE}"
