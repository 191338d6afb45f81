"""What all tests of commands need."""

from __future__ import annotations

import pytest

from pylib.observability import logs


@pytest.fixture(autouse=True)
def logging_of_the_tests_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands set up the logging of their process, which is that of all other tests here."""
    monkeypatch.setattr(logs, "configure", lambda **_: None)
