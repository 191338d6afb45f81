"""A process that starts itself anew is the same process, and misses no signal meanwhile."""

from __future__ import annotations

import subprocess
import sys

from pylib.runtime.restart import Restart

AGAIN = """
import os, signal
from pylib.runtime.restart import start_anew

if "FIRST" in os.environ:
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    print(os.getpid() == int(os.environ["FIRST"]), "ADDED" in os.environ, {signal.SIGTERM, signal.SIGINT} <= held)
else:
    before = {**os.environ, "FIRST": str(os.getpid())}
    os.environ["ADDED"] = "by a library"
    start_anew(before)
"""


def test_it_is_the_same_process_in_the_environment_it_began_in_and_holds_signals_back() -> None:
    done = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True False True\n"


def test_it_is_wanted_only_where_somebody_waits_for_that() -> None:
    stops: list[str] = []
    restart = Restart()
    restart.request()
    assert not restart.possible
    assert not restart.wanted
    restart.allow(lambda: stops.append("stop"))
    assert restart.possible
    restart.request()
    assert (restart.wanted, stops) == (True, ["stop"])
