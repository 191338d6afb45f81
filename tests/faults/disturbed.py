"""A service whose clock is wrong, or whose disk is slow or takes nothing, by a library before the system's."""

from __future__ import annotations

import mmap
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.process import ServiceProcess
from tests.packages import require

SOURCE = Path(__file__).with_suffix(".c")
STATE = struct.Struct("3q")


@dataclass(slots=True)
class Disturbance:
    """What the process meets from now on; it takes effect with `apply`."""

    state: mmap.mmap
    clock_s: int = 0
    """Seconds by which the time of day is ahead."""
    sync_ms: int = 0
    """Milliseconds that each fsync takes."""
    read_only: bool = False
    """Whether the data folder refuses every change, as a file system does after an error of its disk."""

    def apply(self) -> None:
        """Have it so."""
        STATE.pack_into(self.state, 0, self.clock_s, self.sync_ms, int(self.read_only))


def disturb(service: ServiceProcess, folder: Path) -> Disturbance:
    """Prepare a service before its start. Needs a C compiler, which is installed where that is allowed."""
    require(cc="gcc")
    library, shared = folder / "disturbed.so", folder / "state"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    shared.write_bytes(bytes(STATE.size))
    service.forked = False
    service.environment |= {
        "LD_PRELOAD": str(library),
        "FAULTS_STATE": str(shared),
        "FAULTS_DISK": service.environment["DATA_DIR"],
    }
    with shared.open("r+b") as file:
        return Disturbance(mmap.mmap(file.fileno(), STATE.size))
