"""A deadline holds whatever the other side does: a drip of bytes outlasts every timeout of a single read."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.archives import ArchiveUnavailable
from app.archives.s3 import S3
from app.archives.s3.settings import S3Settings
from app.uploads.certificate import make_certificate
from pylib.net.deadline import passed, timed, within
from tests.simulators.camera import CameraSimulator


@pytest.fixture
def dripping() -> Iterator[socket.socket]:
    """The near end of a connection on which a byte comes every now and then, for five seconds."""
    near, far = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        for _ in range(100):
            if stop.wait(0.05):
                break
            far.send(b"x")
        far.close()

    thread = threading.Thread(target=drip)
    thread.start()
    kept = timed(near)
    yield kept
    stop.set()
    thread.join()
    kept.close()


def read_all(sock: socket.socket) -> int:
    """Bytes until the other side closes."""
    buffer, total = bytearray(100), 0
    while count := sock.recv_into(buffer):
        total += count
    return total


def test_a_drip_ends_with_the_deadline(dripping: socket.socket) -> None:
    with within(0.2), pytest.raises(TimeoutError):
        read_all(dripping)
    dripping.settimeout(60)
    assert dripping.recv_into(bytearray(1)) == 1  # without a deadline it goes on


def test_a_silence_ends_with_the_timeout_of_the_socket() -> None:
    near, far = socket.socketpair()
    near.settimeout(0.1)
    with far, timed(near) as kept, within(5):
        with pytest.raises(TimeoutError):
            kept.recv_into(bytearray(1))
        assert not passed()


def test_an_inner_block_has_no_more_time_than_the_outer_one() -> None:
    assert not passed()
    with within(0):
        assert passed()
        with within(60):
            assert passed()
    assert not passed()


def test_what_is_never_read_ends_a_write() -> None:
    near, far = socket.socketpair()
    with far, timed(near) as kept, within(0.2), pytest.raises(TimeoutError):
        kept.sendall(bytes(50_000_000))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_holds_for_s3_with_tls_or_without(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = make_certificate(tmp_path, names=("127.0.0.1",))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-central-1")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    behaviours = {"/home": "drip_headers"}
    with CameraSimulator(b"", interval=0.05, tls=tls if scheme == "https" else None, behaviours=behaviours) as server:
        endpoint = f"{scheme}://{server.address}"
        s3 = S3(S3Settings(bucket="home", endpoint_url=endpoint, path_style=True, read_timeout=30, timeout=0.5))
        with pytest.raises(ArchiveUnavailable) as raised:
            s3.open()
        s3.close()
    assert raised.value.code == "timeout"
    assert server.load("home").requests > 0
