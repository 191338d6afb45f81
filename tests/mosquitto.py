"""A private Mosquitto that tests start, stop and kill, reachable from this machine only."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.broker import free_ports
from tests.packages import require

BINARY = "/usr/sbin/mosquitto"


class Mosquitto:
    """One broker in one temporary directory; `start` after `stop` finds what was retained and kept for sessions.

    A context manager.
    """

    def __init__(
        self, *options: str, users: Mapping[str, str] | None = None, certificate: tuple[Path, Path] | None = None
    ) -> None:
        """`options`: lines of its configuration; `users`: name -> password, nobody else is let in then.

        `certificate`: PEM files of a certificate and its key, for TLS.
        """
        (self.port,) = free_ports(1)
        self._home = Path(tempfile.mkdtemp(prefix="snapshot-mosquitto-"))
        self._server: subprocess.Popen[bytes] | None = None
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {self._home}/",
            "log_dest stdout",
            "user root",
            *options,
        ]
        if users is None:
            lines.append("allow_anonymous true")
        else:
            passwords = self._home / "passwords"
            passwords.touch(mode=0o600)
            for name, password in users.items():
                subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, password], check=True)
            lines += ["allow_anonymous false", f"password_file {passwords}"]
        if certificate:
            lines += [f"certfile {certificate[0]}", f"keyfile {certificate[1]}"]
        (self._home / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self._home / "console.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and return when it answers; raises RuntimeError when it never does."""
        require(mosquitto_passwd="mosquitto")
        binary = shutil.which("mosquitto") or BINARY
        with (self._home / "console.log").open("ab") as console:
            self._server = subprocess.Popen(
                [binary, "-c", str(self._home / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._server.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2):
                return
            time.sleep(0.02)
        raise RuntimeError(f"the private Mosquitto did not come up:\n{self.log[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; what is retained and kept for sessions is on disk after a SIGTERM."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(30)
            self._server = None

    def freeze(self) -> None:
        """SIGSTOP: it still has its connections and answers none."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Peer:
    """Another program at the broker, which remembers what it was told."""

    client: Any
    messages: list[tuple[str, bytes, bool]] = field(default_factory=list)
    """Topic, payload, and whether it was retained from before, in order."""
    _news: threading.Condition = field(default_factory=threading.Condition)

    def say(self, topic: str, payload: bytes | str = b"", *, retain: bool = False) -> None:
        """Publish with QoS 1; returns when the broker has it."""
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(20)

    def last(self, topic: str) -> bytes | None:
        """What was last heard there."""
        return next((payload for at, payload, _ in reversed(self.messages) if at == topic), None)

    def all(self, topic: str) -> list[bytes]:
        """All that was heard there."""
        return [payload for at, payload, _ in self.messages if at == topic]

    def hear(self, message: Any) -> None:
        with self._news:
            self.messages.append((message.topic, bytes(message.payload), bool(message.retain)))
            self._news.notify_all()

    def wait(self, truth: Any, *, timeout: float = 30.0, what: str = "") -> Any:
        """Wait until something holds, and return it."""
        deadline = time.monotonic() + timeout
        with self._news:
            while not (found := truth()):
                left = deadline - time.monotonic()
                assert left > 0, f"not within {timeout:g} s: {what}; heard {[m[0] for m in self.messages][-20:]}"
                self._news.wait(min(left, 0.1))
        return found


@contextmanager
def peer(port: int, *subscriptions: str, username: str = "", password: str = "", ca: str = "") -> Iterator[Peer]:
    """A program that listens to these topics, over a restart of the broker too; returns when they are subscribed."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, f"peer-{uuid.uuid4().hex[:8]}", clean_session=False)
    client.reconnect_delay_set(1, 1)
    if username:
        client.username_pw_set(username, password)
    if ca:
        client.tls_set(ca)
    one, ready = Peer(client), threading.Event()
    client.on_message = lambda _client, _data, message: one.hear(message)
    client.on_subscribe = lambda *_: ready.set()
    topics = [(topic, 1) for topic in subscriptions or ("#",)]

    def welcomed(*_: object) -> None:
        client.subscribe(topics)

    client.on_connect = welcomed
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert ready.wait(20), "the peer is not let in"
        yield one
    finally:
        client.disconnect()
        client.loop_stop()
