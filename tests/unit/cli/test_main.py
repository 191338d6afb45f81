"""How a long-running command ends."""

from __future__ import annotations

import os

import pytest

from app.cli import main
from pylib.observability import logs, sentry


def test_what_log_and_sentry_have_left_is_told_before_the_process_ends_at_once_with_its_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[tuple[str, float]] = []
    monkeypatch.setattr(logs, "flush", lambda: steps.append(("log", 0)))
    monkeypatch.setattr(sentry, "flush", lambda seconds: steps.append(("flush", seconds)))
    monkeypatch.setattr(os, "_exit", lambda status: steps.append(("exit", status)))
    main._end(70)
    assert steps == [("log", 0), ("flush", main.SENTRY_FLUSH_S), ("exit", 70)]
