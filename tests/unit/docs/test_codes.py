"""The page of codes is the one that the command prints."""

from __future__ import annotations

from app import wording
from tests.unit.docs.pages import ROOT


def test_the_page_of_codes_is_what_the_command_prints() -> None:
    written = (ROOT / "docs/codes.md").read_text(encoding="utf-8")
    assert written == wording.table(), "write it again: make docs"
