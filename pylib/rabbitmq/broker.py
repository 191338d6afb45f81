"""How to connect to a RabbitMQ broker, and what its refusals mean."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pylib.errors import Failure, Permanent, Transient
from pylib.settings.credentials import Secret

ACCESS_REFUSED = 403
NOT_FOUND = 404
RESOURCE_LOCKED = 405
PRECONDITION_FAILED = 406
NOT_ALLOWED = 530  # a virtual host that does not exist or is closed to this user
FRAME_MAX = 131_072
"""Bytes of a frame, unless the broker allows less."""
MISMATCH = re.compile(
    r"inequivalent arg '(?P<argument>[^']+)' for (?P<kind>\w+) '(?P<name>[^']+)' in vhost '[^']*': "
    r"received (?P<ours>.+) but current is (?P<theirs>.+)"
)
"""RabbitMQ's error text for a declaration with another argument."""
VALUE = re.compile(r"(?:the value )?'(?P<value>[^']*)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker's address, login and timeouts."""

    host: str = "localhost"
    port: int = 0
    """0 for the usual one: 5672, or 5671 with TLS."""
    username: str = "guest"
    password: Secret = field(default=Secret("guest"))
    vhost: str = "/"
    tls: bool = False
    ca_file: str = ""
    """PEM file of the authority that signed the broker's certificate; the system's authorities unless set."""
    heartbeat: int = 10
    """Seconds; a peer that is silent for about twice as long counts as dead."""
    blocked_timeout: float = 10.0
    """Seconds an alarm of the broker may block our publishing before the connection is dropped."""
    connect_timeout: float = 10.0
    """Seconds for each of: TCP connect; the whole handshake."""

    @property
    def address(self) -> str:
        """`host:port`, as log lines name it."""
        return f"{self.host}:{self.port or (5671 if self.tls else 5672)}"

    def connect(self, name: str) -> Any:
        """A new `pika.BlockingConnection`, called `name` in the broker's lists. Raises what pika raises."""
        import pika

        from pylib.rabbitmq import headers

        headers.read_any()
        logger = logging.getLogger("pika")
        if logger.level == logging.NOTSET:
            # Each failed attempt is a traceback there, each returned message 255 bytes of a picture.
            logger.setLevel(logging.CRITICAL)
        tls = ssl.create_default_context(cafile=self.ca_file or None) if self.tls else None
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                host=self.host,
                port=int(self.address.rpartition(":")[2]),
                virtual_host=self.vhost,
                credentials=pika.PlainCredentials(self.username, self.password.get_secret_value()),
                ssl_options=pika.SSLOptions(tls, self.host) if tls else None,
                heartbeat=self.heartbeat,
                blocked_connection_timeout=self.blocked_timeout,
                socket_timeout=self.connect_timeout,
                stack_timeout=self.connect_timeout,
                client_properties={"connection_name": name},
            )
        )


def frame_max(connection: Any) -> int:
    """Bytes that the broker allows a frame on this connection."""
    return int(connection._impl.params.frame_max)


def limited(connection: Any, seconds: float) -> Callable[[], None]:
    """Have what waits for the broker's answer on this connection raise TimeoutError in so many seconds.

    pika waits without end for a broker that sends heartbeats and does not answer, as one may while it starts.
    Returns what ends the limit.
    """
    handle = connection._impl._adapter_call_later(seconds, _no_answer)
    return lambda: connection._impl._adapter_remove_timeout(handle)


def hang_up(connection: Any) -> None:
    """End a connection without a word, as a crash would: the broker gives all back that was delivered over it, and then
    goes on to the next consumer. pika's own end cancels consumers first, so that the next one gets what lies behind."""
    connection._impl._adapter_disconnect_stream()


def _no_answer() -> None:
    raise TimeoutError("the broker does not answer")


def counts_deliveries(connection: Any) -> bool:
    """Whether the broker dead-letters what it delivered 20 times, unless told otherwise: RabbitMQ from 4.0 on."""
    major = str(connection._impl.server_properties.get("version", "")).partition(".")[0]
    return major.isdecimal() and int(major) >= 4


def explain(error: Exception) -> Failure:
    """The failure behind an exception of pika's: `Permanent` when a person has to change something first."""
    from pika import exceptions

    if isinstance(error, Failure):
        return error
    code, text = getattr(error, "reply_code", 0), getattr(error, "reply_text", "")
    if code in (ACCESS_REFUSED, NOT_ALLOWED):
        return Permanent("access_refused", text)
    if isinstance(error, exceptions.ProbableAuthenticationError | exceptions.ProbableAccessDeniedError):
        return _not_let_in(str(error.args))
    if code == PRECONDITION_FAILED and " arg '" in text:
        return Permanent("precondition_failed", _difference(text))
    if code == PRECONDITION_FAILED and "message size" in text:
        return Permanent("too_large", text)
    if code == NOT_FOUND:
        return Transient("not_found", text)
    if isinstance(error, exceptions.ConnectionBlockedTimeout):
        return Transient("broker_blocked", "the broker takes no messages (out of memory or disk space)")
    return Transient("broker_away", text or _innermost(error))


def _not_let_in(words: str) -> Failure:
    """pika guesses at a refusal from the stage of the handshake; a broker that shuts down looks the same."""
    if f"({ACCESS_REFUSED})" in words:
        return Permanent("access_refused", "the broker refuses this user name or password")
    if f"({NOT_ALLOWED})" in words:
        return Permanent("access_refused", "the broker has no such virtual host, or not for this user")
    return Transient("broker_away", "the connection was lost during the handshake")


def _difference(text: str) -> str:
    """RabbitMQ's text about a mismatch, reworded with the remedy."""
    found = MISMATCH.search(text)
    if found is None:
        return text
    what = f"{found['kind']} {found['name']!r} exists with {found['argument']} {_value(found['theirs'])}"
    return f"{what}, not {_value(found['ours'])}: delete it or change the setting"


def _value(words: str) -> str:
    found = VALUE.match(words)
    return repr(found["value"]) if found else words


def _innermost(error: BaseException) -> str:
    """pika wraps the socket's error up to three deep; the innermost is the one that helps."""
    while True:
        inner = getattr(error, "exception", None) or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException):
            return str(error) or type(error).__name__
        error = inner
