"""What a burst took of memory is given back, in a process of its own: heaps are a process's."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from ctypes import CDLL, c_void_p
from pylib.runtime import heap
libc = CDLL(None)
libc.malloc.restype, libc.free.argtypes = c_void_p, [c_void_p]
heap.share()

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

before = resident()
pieces = [libc.malloc(65_536) for _ in range(1_600)]
for piece in pieces:
    libc.memset(c_void_p(piece), 1, 65_536)
for piece in pieces[:-1]:
    libc.free(piece)
kept = resident() - before
heap.give_back()
print(kept, resident() - before)
"""


def test_pages_below_what_is_still_in_use_are_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    kept, left = map(int, done.stdout.split())
    assert kept > 90_000_000, "else there is nothing to give back"
    assert left < 10_000_000
