"""How commands end."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from app import __main__ as entry
from app.bootstrap import next_steps, service
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
    gc.enable()  # which a `run` that does not come that far leaves undone
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


@pytest.mark.usefixtures("handlers")
def test_the_collector_waits_until_the_service_is_made_and_runs_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    collects: list[bool] = []

    def run() -> int:
        collects.append(gc.isenabled())
        return 0

    made = SimpleNamespace(
        open=lambda: collects.append(gc.isenabled()),
        run=run,
        core=SimpleNamespace(restart=SimpleNamespace(allow=lambda stop: None, wanted=False)),
        supervisor=SimpleNamespace(request_stop=lambda grace: None),
    )
    monkeypatch.setattr(sys, "argv", ["snapshot-processor", "run"])
    monkeypatch.setattr(main, "_prepared", lambda config_file: None)
    monkeypatch.setattr(main, "_later", lambda seconds, act: None)
    monkeypatch.setattr(main, "_end", lambda status: None)
    monkeypatch.setattr(next_steps, "tell", lambda settings: None)
    monkeypatch.setattr(service, "Service", lambda settings, version: made)
    with pytest.raises(SystemExit):
        entry.main()
    assert collects == [False, True]
