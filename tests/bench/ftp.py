"""Uploads per second of the FTP server beside bare pyftpdlib's: `python -m tests.bench.ftp`."""

from __future__ import annotations

import argparse
import contextlib
import ftplib
import io
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.uploads.ftp.accounts import Account
from app.uploads.ftp.server import FtpServer
from app.uploads.ftp.settings import FtpSettings
from app.uploads.inbox import Inbox
from pylib.settings.credentials import Secret
from tests.bench.report import Row, machine, table
from tests.fakes.pictures import busy, encoded

AIM = 0.7
"""Of bare pyftpdlib's uploads per second."""
USER, PASSWORD = "camera", "secret"
UPLOADS = "uploads/snapshots"


@dataclass(frozen=True, slots=True)
class Uploads:
    """What was measured: medians of uploads per second, and the median of ours over bare's in the same round."""

    ours: float
    bare: float
    ratio: float
    size: int
    """Bytes of the picture."""


def measure(home: Path, *, picture: bytes | None = None, clients: int = 4, each: int = 100, rounds: int = 3) -> Uploads:
    """Let so many client processes upload so many pictures each to both servers, in turn, and take medians.

    Each client keeps its session, uses TYPE I, passive mode and a new name in a date folder each time.
    """
    data = encoded(busy(640, 360)) if picture is None else picture
    sample = home / "picture.jpg"
    sample.write_bytes(data)
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    with _server("ours", home) as ours, _server("bare", home) as bare:
        for number in range(rounds + 1):  # the first one warms up
            for name, port in (("ours", ours), ("bare", bare)):
                rates[name].append(_round(port, sample, number, clients=clients, each=each))
    pairs = list(zip(rates["ours"][1:], rates["bare"][1:], strict=True))
    return Uploads(
        ours=median(ours for ours, _ in pairs),
        bare=median(bare for _, bare in pairs),
        ratio=median(ours / bare for ours, bare in pairs),
        size=len(data),
    )


def row(found: Uploads) -> Row:
    """A row of the table of measurements."""
    return Row(
        f"FTP uploads of {found.size / 1000:.0f} kB, beside bare pyftpdlib",
        f"{found.ours:.0f}/s",
        f"{found.bare:.0f}/s",
        f"{found.ratio:.2f}",
        f"{AIM}",
        found.ratio >= AIM,
    )


def _round(port: int, sample: Path, number: int, *, clients: int, each: int) -> float:
    """Uploads per second from the moment when all clients have logged in."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.ftp",
        "upload",
        str(port),
        str(sample),
        str(each),
        str(number),
    ]
    processes = [
        subprocess.Popen([*command, str(one)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for one in range(clients)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        began = time.perf_counter()
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        if any(process.wait(120) for process in processes):
            raise RuntimeError("an upload failed")
        return clients * each / (time.perf_counter() - began)
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _server(kind: str, home: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.bench.ftp", kind, str(home / kind)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _serve_ours(folder: Path) -> None:
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    settings = FtpSettings.model_construct(
        **{
            **dict(FtpSettings()),
            "host": "127.0.0.1",
            "port": 0,
            "quota": 10**12,
            "passive_ports": "30100-30199",
        }
    )
    server = FtpServer(
        settings,
        [Account(USER, Secret(PASSWORD))],
        inbox=Inbox(folder / "ftp"),
        data_dir=folder,
        on_taken=lambda _taken, _origin: None,
    )
    print(server.open(), flush=True)
    server.run()


def _serve_bare(folder: Path) -> None:
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    logging.basicConfig(level=logging.WARNING)  # pyftpdlib prints a line for each upload otherwise
    folder.mkdir(parents=True, exist_ok=True)

    class Handler(FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()
        passive_ports = range(30_200, 30_300)

    Handler.authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmw")
    server = FTPServer(("127.0.0.1", 0), Handler)
    print(server.address[1], flush=True)
    server.serve_forever()


def _upload(port: int, sample: Path, each: int, number: int, one: int) -> None:
    data = sample.read_bytes()
    folder = f"/{UPLOADS}/camera{one}/{number:08}"
    with ftplib.FTP() as ftp:
        ftp.connect("127.0.0.1", port, timeout=60)
        ftp.login(USER, PASSWORD)
        path = ""
        for part in folder.strip("/").split("/"):
            path += f"/{part}"
            with contextlib.suppress(ftplib.error_perm):
                ftp.mkd(path)
        ftp.cwd(folder)
        print("ready", flush=True)
        sys.stdin.read()
        for count in range(each):
            ftp.storbinary(f"STOR {count:06}.jpg", io.BytesIO(data), blocksize=65_536)


def main() -> None:
    """Measure and print a table, or be one of the processes of a measurement."""
    roles: dict[str, Callable[..., None]] = {"ours": _serve_ours, "bare": _serve_bare}
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ftp", description=__doc__)
    parser.add_argument("role", nargs="?", default="measure", choices=["measure", "upload", *roles])
    parser.add_argument("arguments", nargs="*")
    given = parser.parse_args()
    if given.role in roles:
        roles[given.role](Path(given.arguments[0]))
    elif given.role == "upload":
        port, sample, *numbers = given.arguments
        _upload(int(port), Path(sample), *map(int, numbers))
    else:
        print(machine())
        with tempfile.TemporaryDirectory(prefix="ftp-bench-") as folder:
            os.environ.setdefault("PYTHONPATH", str(Path.cwd()))
            print(table([row(measure(Path(folder)))]))


if __name__ == "__main__":
    main()
