"""A start from a configuration that the album has changed, and the one before it where no start comes about."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from app.cli.terminal import say
from app.config.config_file import Trial
from app.config.settings import find_file
from pylib.observability import logs, sentry
from pylib.runtime.restart import start_anew

FLUSH_S = 1.0
UNFINISHED = 2
"""Starts that may end before they came about, as when somebody stops the service meanwhile."""


@contextmanager
def trying(config_file: Path | None, environ: Mapping[str, str]) -> Iterator[None]:
    """Around a start: one that fails with a changed configuration begins anew with the one before it."""
    path = config_file or find_file(environ)
    trial = Trial.of(path) if path else None
    if trial is None or not trial.running:
        yield
        return
    if trial.begun >= UNFINISHED:
        _back(trial, "the service ended before it had started, more than once", environ)
    try:
        replace(trial, begun=trial.begun + 1).write()
        yield
    except Exception as error:
        _back(trial, str(error), environ)
        raise
    trial.end()


def begin_anew(environ: Mapping[str, str]) -> NoReturn:
    """Become this command's process once more, in the environment that it began in."""
    logs.flush()
    sentry.flush(FLUSH_S)
    sys.stdout.flush()
    sys.stderr.flush()
    start_anew(environ)


def _back(trial: Trial, why: str, environ: Mapping[str, str]) -> None:
    """Returns only where the file before it cannot be put back."""
    try:
        trial.put_back(why)
    except OSError as error:
        say(f"{trial.path} cannot be put back as it was: {error.strerror}", err=True)
        return
    say(f"no start came of the changed {trial.path}, so the one before it holds again: {why}", err=True)
    begin_anew(environ)
