"""How commands end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from app import __main__ as entry
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


@pytest.fixture
def handlers() -> Iterator[None]:
    """Ours are put back; until others are set, SIGTERM does nothing, as in a container's first process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("words", [["backup", "to.tar"], ["restore", "from.tar"], ["check"], ["dead-letters", "drop"]])
def test_sigterm_ends_a_command_that_then_tidies_up(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["snapshot-processor", *words])
    monkeypatch.setattr(main, "main", lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 128 + signal.SIGTERM


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("word", ["run", "demo", "ftp"])
def test_a_signal_before_the_service_is_open_ends_it_in_good_order(
    word: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(sys, "argv", ["snapshot-processor", word])
    monkeypatch.setattr(main, "main", lambda: signal.raise_signal(number))
    entry.main()
    assert ended == [0]
