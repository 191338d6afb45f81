"""Cameras that push by FTP into a service of the tests, and what is to be seen of their files afterwards."""

from __future__ import annotations

import contextlib
import ftplib
import io
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from app.journal import NOTHING_WAITS
from tests.broker import free_ports, free_range
from tests.e2e.conftest import Launch
from tests.e2e.peers import House
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess
from tests.fakes.pictures import busy, encoded
from tests.simulators.camera import stamped

USER, PASSWORD = "cameras", "s3cret @:,%"
UPLOADS = "uploads/snapshots"
PASSIVE = 40
"""Ports for data connections."""
TRY_AGAIN_S = 0.05
SMALL = jpeg(160, 120)
LARGE = encoded(busy(640, 360))
"""Large enough for being cut while it is under way."""


def picture(text: str, like: bytes = SMALL) -> bytes:
    """A picture like no other, of which this can be read again."""
    return stamped(like, text)


class Pushed:
    """A service that takes pictures in by FTP and from its upload area, with a drawn camera at each place."""

    def __init__(
        self,
        launch: Launch,
        house: House | None,
        *places: str,
        detector: str = "none",
        more: Sequence[dict[str, Any]] = (),
        **config: Any,
    ) -> None:
        """`more`: further cameras. `config` are sections of config.yml; those that are here already are added to."""
        ftp = ftp_section()
        self.port: int = ftp["port"]
        uploads = {"quiet_time": 0.5, "patience": 1.0, "scan_interval": 1.0}
        self.service: ServiceProcess = launch(
            house,
            environment={"DETECTOR_KIND": detector},
            cameras=[*({"kind": "demo", "location": place} for place in places), *more],
            ftp={**ftp, **config.pop("ftp", {})},
            uploads={**uploads, **config.pop("uploads", {})},
            **config,
        )
        self.area = self.service.home / "data/ftp"

    def start(self) -> Pushed:
        """Start the service and wait until it is ready."""
        self.service.start().wait_ready()
        return self

    @contextlib.contextmanager
    def camera(self, place: str = "", *, source: str = "127.0.0.1", password: str = PASSWORD) -> Iterator[ftplib.FTP]:
        """A session in the folder of the camera at this place, from an address of the loopback network."""
        with contextlib.closing(ftplib.FTP()) as ftp:
            ftp.connect("127.0.0.1", self.port, timeout=10, source_address=(source, 0))
            ftp.login(USER, password)
            if place:
                ftp.cwd(f"/{UPLOADS}/{folder(place)}")
            yield ftp

    def push(self, place: str, name: str, data: bytes, *, source: str = "127.0.0.1") -> None:
        """Upload a file, again and again until the answer is 226."""
        while True:
            with contextlib.suppress(*ftplib.all_errors), self.camera(place, source=source) as ftp:
                ftp.storbinary(f"STOR {name}", io.BytesIO(data))
                return
            time.sleep(TRY_AGAIN_S)

    def push_unheard(self, place: str, name: str, data: bytes, *, source: str = "127.0.0.1") -> None:
        """Upload a file, once, and be gone before the answer comes."""
        with (
            contextlib.suppress(*ftplib.all_errors),
            self.camera(place, source=source) as ftp,
            ftp.transfercmd(f"STOR {name}") as connection,
        ):
            connection.sendall(data)

    @property
    def lying(self) -> list[Path]:
        """Files anywhere in the area: under their names, on their way in, or in the inbox."""
        return [Path(at, name) for at, _, names in os.walk(self.area) for name in names]

    @property
    def quarantined(self) -> list[bytes]:
        """What the files in quarantine hold."""
        files = self.service.home.glob("data/quarantine/*")
        return [path.read_bytes() for path in files if not path.name.endswith((".json", ".part"))]

    def idle(self) -> bool:
        """Whether nothing lies in the area, is in hand or owed, for about a second."""
        for _ in range(3):
            stages = ("receive", "detect", "publish")
            if self.lying or any(self.service.metric("stage_in_hand", stage=stage) for stage in stages):
                return False
            if not self.service.check("undelivered")["detail"].startswith(NOTHING_WAITS):
                return False
            time.sleep(0.3)
        return True


def ftp_section() -> dict[str, Any]:
    """Configuration of an FTP server on loopback, with the shared login."""
    (port,) = free_ports(1)
    passive = free_range(PASSIVE)
    return {
        "host": "127.0.0.1",
        "port": port,
        "username": USER,
        "password": PASSWORD,
        "passive_ports": f"{passive[0]}-{passive[-1]}",
    }


def store(ftp: ftplib.FTP, name: str, data: bytes) -> None:
    """Upload a file once; raises what ftplib raises."""
    ftp.storbinary(f"STOR {name}", io.BytesIO(data))


def folder(place: str) -> str:
    """The folder of the camera at this place, below UPLOADS."""
    return place.lower().replace(" ", "")


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextlib.contextmanager
def at_once(*calls: Callable[[], object], within: float = 60.0) -> Iterator[None]:
    """Run all in threads of their own beside the block, and wait for them; raises the first error."""
    errors: list[BaseException] = []

    def guarded(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    yield
    deadline = time.monotonic() + within
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), f"not done within {within:g} s"
