"""Loaded into the service's own process: kills it at a named point, or one of its threads when told to."""

from __future__ import annotations

import ctypes
import importlib
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from tests.e2e.process import PROJECT, ServiceProcess, until

AT_CALL = 6
"""So often the point is passed before it kills."""


@dataclass(frozen=True)
class Point:
    """Before or after a call of a method, or of a module's function."""

    module: str
    name: str
    after: bool = False

    def arm(self) -> None:
        """Have the process killed there."""
        *holders, name = self.name.split(".")
        owner: Any = importlib.import_module(self.module)
        for holder in holders:
            owner = getattr(owner, holder)
        call, calls = getattr(owner, name), itertools.count(1)

        @wraps(call)
        def deadly(*arguments: Any, **options: Any) -> Any:
            last = next(calls) == AT_CALL
            if last and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **options)
            if last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, deadly)


POINTS: Mapping[str, Point] = {
    "accepted over HTTP, not recorded": Point("app.journal", "Journal.accept"),
    "accepted over HTTP, not answered": Point("app.journal", "Journal.accept", after=True),
    "picture taken, not stored": Point("app.storage.cache", "Cache.store"),
    "file written, not named": Point("pylib.files.durable", "_fill", after=True),
    "picture stored, not recorded": Point("app.journal", "Journal.record"),
    "recorded, not acknowledged": Point("app.journal", "Journal.record", after=True),
    "acknowledged": Point("app.sources.rabbitmq", "RabbitMQ.acknowledge", after=True),
    "before the detector is asked": Point("app.detectors.rekognition", "Rekognition.detect"),
    "detector answered, answer not kept": Point("app.journal", "Journal.keep_answer"),
    "answer kept, event not recorded": Point("app.journal", "Journal.inspect"),
    "event recorded, nobody told": Point("app.journal", "Journal.inspect", after=True),
    "before a publish": Point("pylib.rabbitmq.publisher", "ConfirmedPublisher.publish"),
    "published and confirmed, not noted": Point("app.journal", "Journal.delivered"),
    "noted": Point("app.journal", "Journal.delivered", after=True),
}
"""Where a kill is worst, by what has just happened, upstream to downstream."""


class Killed(BaseException):
    """Ends a thread; nothing but what looks after threads may catch it."""


class Inside:
    """The way into a service's process, prepared before it starts."""

    def __init__(self, service: ServiceProcess) -> None:
        self._folder = service.home / "inside"
        self._folder.mkdir(exist_ok=True)
        (self._folder / "sitecustomize.py").write_text("from tests.faults.inside import arm\n\narm()\n")
        self._service = service
        service.forked = False
        service.environment |= {"PYTHONPATH": f"{self._folder}:{PROJECT}", "FAULTS_FOLDER": str(self._folder)}

    def leave(self) -> None:
        """Its next start is that of a service which nobody has got at."""
        self._service.forked = True
        self._service.environment["PYTHONPATH"] = str(PROJECT)

    def threads(self) -> list[str]:
        """Names of the threads that run now."""
        names = self._folder / "threads"
        names.unlink(missing_ok=True)
        until(names.exists, what="the names of all threads")
        found: list[str] = json.loads(names.read_text())
        return found

    def kill(self, thread: str) -> None:
        """Have the threads of this name end at their next step; returns when they have been told."""
        order = self._folder / "kill"
        (self._folder / "new").write_text(thread)
        (self._folder / "new").rename(order)
        until(lambda: not order.exists(), what="the thread is told")


def arm() -> None:
    """Called in the service's process as its interpreter begins."""
    if point := os.environ.get("FAULTS_POINT"):
        POINTS[point].arm()
    threading.Thread(target=_serve, args=(Path(os.environ["FAULTS_FOLDER"]),), name="faults", daemon=True).start()


def _serve(folder: Path) -> None:
    order, names = folder / "kill", folder / "threads"
    while True:
        time.sleep(0.05)
        if not names.exists():
            (folder / "names").write_text(json.dumps([thread.name for thread in threading.enumerate()]))
            (folder / "names").rename(names)
        if order.exists():
            meant = order.read_text()
            for thread in threading.enumerate():
                if thread.name == meant and thread.ident is not None:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Killed))
            order.unlink()
