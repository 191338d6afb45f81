"""A deadline holds whatever the other side does: a drip of bytes outlasts every timeout of a single read."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.exceptions import ConnectTimeoutError, HTTPError

from app.archives import ArchiveUnavailable
from app.archives.s3 import S3
from app.archives.s3.settings import S3Settings
from app.uploads.certificate import make_certificate
from pylib.net.deadline import passed, timed, timed_pools, within
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


@pytest.fixture
def full() -> Iterator[list[str]]:
    """Three addresses of this machine at one port, where connections are neither taken nor refused, and the port."""
    kept: list[socket.socket] = []
    addresses, port = ["127.0.0.2", "127.0.0.3", "127.0.0.4"], 0
    for address in addresses:
        server = socket.create_server((address, port), backlog=0)
        port = server.getsockname()[1]
        kept.append(server)
        for _ in range(3):  # more than wait in line
            near = socket.socket()
            near.setblocking(False)
            near.connect_ex((address, port))
            kept.append(near)
    yield [*addresses, str(port)]
    for sock in kept:
        sock.close()


def test_all_addresses_of_a_name_share_the_time_and_the_last_one_still_has_some(
    full: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    *addresses, port = full
    tried: list[tuple[str, float]] = []
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def resolved(host: str, *args: Any, **kwargs: Any) -> Any:
        hosts = addresses if host == "many.example" else [host]
        return [found for one in hosts for found in resolve(one, *args, **kwargs)]

    def connected(sock: socket.socket, address: Any) -> None:
        tried.append((address[0], sock.gettimeout() or 0.0))
        connect(sock, address)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket.socket, "connect", connected, raising=False)
    manager = PoolManager(retries=False, timeout=30)
    manager.pool_classes_by_scheme = timed_pools(HTTPConnectionPool, HTTPSConnectionPool)
    with within(0.3), pytest.raises(ConnectTimeoutError):
        manager.request("GET", f"http://many.example:{port}/")
    assert [address for address, _ in tried] == addresses
    assert all(0 < seconds <= 0.3 / count for (_, seconds), count in zip(tried, (3, 2, 1), strict=True))


def test_a_handshake_that_nobody_answers_ends_with_the_deadline() -> None:
    manager = PoolManager(retries=False, timeout=30, ssl_context=ssl.create_default_context())
    manager.pool_classes_by_scheme = timed_pools(HTTPConnectionPool, HTTPSConnectionPool)
    with socket.create_server(("127.0.0.1", 0)) as silent, within(0.2):
        with pytest.raises((TimeoutError, HTTPError)):
            manager.request("GET", f"https://127.0.0.1:{silent.getsockname()[1]}/")
        assert passed()


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
