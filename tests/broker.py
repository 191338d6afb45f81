"""A private RabbitMQ node that tests start, stop and kill, reachable from this machine only."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import pika
from pydantic import SecretStr

from pylib.rabbitmq.broker import Broker as Address
from tests.rabbitmq_server import find_server

PORTS = (12_000, 32_000)
PORTS_OF_WORKER = 1_000
"""Each worker of a parallel run has so many of these for itself."""
START_TIMEOUT = 180.0
STOP_TIMEOUT = 120.0
CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
log.file.level = warning
disk_free_limit.absolute = 50MB
max_message_size = 25165824
"""
BOOT = """\
-eval application:load(rabbit),{ok,As}=application:get_key(rabbit,applications),[application:load(A)||A<-As],\
code:ensure_modules_loaded(lists:append([M||A<-[rabbit|As],{ok,M}<-[application:get_key(A,modules)]])) \
-s rabbit boot"""
"""Its thousand modules at once, before it boots: to load them one by one, as it would, is half the work of a start."""


class Broker:
    """One node in one temporary directory; `start` after `stop` or `kill` finds what was durable."""

    def __init__(self, external: str = "", *, mqtt_port: int = 0) -> None:
        """`external`: the URL of a broker that someone else runs; then nothing is started or stopped.

        `mqtt_port`: where it speaks MQTT as well; 0 where it does not.
        """
        self.external = external
        self.mqtt_port = mqtt_port
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        if not external:
            self._home = Path(tempfile.mkdtemp(prefix="snapshot-broker-"))
            self.port, self._dist_port, self._epmd_port = free_ports(3)

    @property
    def url(self) -> str:
        return self.external or f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    @property
    def address(self) -> Address:
        """The same for our own code."""
        parts = urlsplit(self.url)
        return Address(
            host=parts.hostname or "localhost",
            port=parts.port or 0,
            username=unquote(parts.username or "guest"),
            password=SecretStr(unquote(parts.password or "guest")),
            vhost=unquote(parts.path[1:]) or "/",
            tls=parts.scheme == "amqps",
        )

    @property
    def running(self) -> bool:
        return bool(self.external) or (self._server is not None and self._server.poll() is None)

    @property
    def pid(self) -> int:
        """Of the node that runs here."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start the node and return when it answers; raises RuntimeError when it never does."""
        if self.running:
            return
        server, epmd = find_server(), shutil.which("epmd")
        environment = self._environment()
        if self._epmd is None and epmd is not None:
            # Ours and in the foreground: the one the node would start by itself outlives it as a daemon.
            self._epmd = subprocess.Popen(
                [epmd, "-port", str(self._epmd_port), "-address", "127.0.0.1"], env=environment
            )
            self._await_epmd()
        with (self._home / "console.log").open("ab") as console:
            self._server = subprocess.Popen(
                [server],
                env=environment,
                cwd=self._home,  # where it leaves its crash dump
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self._await_handshake()

    def stop(self) -> None:
        """Shut the node down in good order; what is durable stays on disk."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a power cut would end it."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: it still has its connections and answers none."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextlib.contextmanager
    def alarm(self) -> Iterator[None]:
        """Out of memory for as long as this lasts: the broker stops reading from whoever publishes."""
        self.ctl("set_vm_memory_high_watermark", "0.0000001")
        try:
            yield
        finally:
            self.ctl("set_vm_memory_high_watermark", "0.4")

    def ctl(self, *arguments: str) -> str:
        """What rabbitmqctl prints about this node; takes two seconds or so."""
        command = [str(Path(find_server()).with_name("rabbitmqctl")), "--quiet", *arguments]
        done = subprocess.run(command, env=self._environment(), check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def close(self) -> None:
        """End everything that was started, of which nobody will read anything, and remove every trace."""
        self.kill()
        if self._epmd is not None:
            self._epmd.terminate()
            self._epmd.wait()
            self._epmd = None
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Broker:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        """A confirming channel of a connection of its own."""
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def publish(self, exchange: str, key: str, *bodies: bytes, **properties: Any) -> None:
        """Publish messages and wait for the confirms; raises pika's UnroutableError when nobody listens."""
        with self.channel() as channel:
            for body in bodies:
                channel.basic_publish(
                    exchange, key, body, properties=pika.BasicProperties(**properties), mandatory=True
                )

    def listen(self, exchange: str, key: str, *, queue: str) -> None:
        """Declare a durable queue and bind it, as a consumer of our events does."""
        with self.channel() as channel:
            channel.queue_declare(queue, durable=True)
            channel.queue_bind(queue, exchange, key)

    def take(self, queue: str, count: int = 1, *, timeout: float = 60.0) -> list[tuple[Any, bytes]]:
        """Take `count` messages off a queue as (properties, body); fewer when `timeout` seconds are over."""
        taken: list[tuple[Any, bytes]] = []
        deadline = time.monotonic() + timeout
        with self.channel() as channel:
            while len(taken) < count and time.monotonic() < deadline:
                method, properties, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    time.sleep(0.02)
                else:
                    taken.append((properties, body))
        return taken

    def waiting(self, queue: str) -> int:
        """How many messages are ready in a queue."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def _environment(self) -> Mapping[str, str]:
        for name in ("data", "log", "conf"):
            (self._home / name).mkdir(exist_ok=True)
        conf = self._home / "conf"
        mqtt = f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt_port}\n" if self.mqtt_port else ""
        (conf / "rabbitmq.conf").write_text(CONFIG.format(port=self.port) + mqtt)
        (conf / "enabled_plugins").write_text("[rabbitmq_mqtt].\n" if mqtt else "[].\n")
        # Nothing is inherited but the path: RABBITMQ_* of the caller or /etc/rabbitmq would leak in.
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self._home),  # where Erlang keeps the cookie
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"snapshot-test-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(self._home / "data"),
            "RABBITMQ_LOG_BASE": str(self._home / "log"),
            "RABBITMQ_CONFIG_FILE": str(conf / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(conf / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(conf / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(conf / "enabled_plugins"),
            "RABBITMQ_NODE_ONLY": "1",  # started by `BOOT`
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} +S 2:2 {BOOT}",
            # Makes the script become the Erlang node instead of waiting beside it: signals reach the node.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }

    def _await_epmd(self) -> None:
        """A node that is quicker than its name server ends at once."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._epmd_port), timeout=2):
                return
            time.sleep(0.02)
        raise RuntimeError("epmd did not come up")

    def _await_handshake(self) -> None:
        assert self._server is not None
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._server.poll() is None:
            if _answers(self.port):
                return
            time.sleep(0.1)
        self.kill()
        console = (self._home / "console.log").read_text(errors="replace")
        raise RuntimeError(f"the private RabbitMQ node did not come up:\n{console[-3000:]}")

    def _end(self, how: signal.Signals) -> None:
        if self._server is None:
            return
        self._signal(how)
        try:
            self._server.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._server.wait()
        self._server = None

    def _signal(self, how: signal.Signals) -> None:
        assert self._server is not None, "not ours to disturb, or not running"
        with contextlib.suppress(ProcessLookupError):
            # Its helper processes must not see a SIGTERM (the node would take it for a crash), but a SIGKILL.
            if how is signal.SIGKILL:
                os.killpg(self._server.pid, how)
            else:
                self._server.send_signal(how)


class SharedBroker:
    """The one node of all workers of a run: whoever needs it first starts it, and ends it when the others have left.

    What a worker holds is a lock, which the system takes from it however it ends.
    """

    def __init__(self, folder: Path) -> None:
        """`folder`: one that all workers of the run have, and no other run."""
        self._url = folder / "broker.url"
        self._turn = folder / "broker.turn"
        self._users = folder / "broker.users"
        self._left = contextlib.ExitStack()

    def enter(self) -> Broker:
        """The running node, which must not be stopped."""
        with _locked(self._turn, fcntl.LOCK_EX):
            if self._url.exists():
                url, mqtt_port = self._url.read_text().split()
                broker = Broker(url, mqtt_port=int(mqtt_port))
            else:
                broker = Broker(mqtt_port=free_ports(1)[0])
                broker.__enter__()
                self._url.write_text(f"{broker.url} {broker.mqtt_port}")
                self._left.callback(self._end, broker)
            self._left.enter_context(_locked(self._users, fcntl.LOCK_SH))
        return broker

    def leave(self) -> None:
        """Need it no more; the worker that started it waits here for the others."""
        self._left.close()

    def _end(self, broker: Broker) -> None:
        while True:
            with (
                _locked(self._turn, fcntl.LOCK_EX),
                contextlib.suppress(BlockingIOError),
                _locked(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB),
            ):
                self._url.unlink()
                broker.close()
                return
            time.sleep(0.1)


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that are free, and stay so while a server is down and started again.

    They lie below those that the system gives to clients. From among these, a client that tries again and again
    to reach a server that is down is one day connected to itself, and keeps the port from the server. No worker is
    given one that another may be about to use, and none is given twice.
    """
    return list(itertools.islice(_free_ports, count))


def free_range(count: int) -> range:
    """Free ports in a row, as the passive ports of an FTP server; `free_ports` gives none of them."""
    own = _ports_of_worker()[PORTS_OF_WORKER // 2 :]
    while True:
        first = random.randrange(own.start, own.stop - count)
        if all(map(_is_free, ports := range(first, first + count))):
            return ports


def _ports_of_worker() -> range:
    run = int(os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex, 16)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = PORTS[0] + (run + worker) * PORTS_OF_WORKER % (PORTS[1] - PORTS[0])
    return range(first, first + PORTS_OF_WORKER)


def _all_free_ports() -> Iterator[int]:
    own = _ports_of_worker()[: PORTS_OF_WORKER // 2]
    for port in itertools.cycle(random.sample(own, len(own))):
        if _is_free(port):
            yield port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as every server does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_free_ports = _all_free_ports()


def _answers(port: int) -> bool:
    """Whether an AMQP 0-9-1 broker answers our protocol header with a method frame (Connection.Start)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.settimeout(2)
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False
