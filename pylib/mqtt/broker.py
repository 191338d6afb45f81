"""How to connect to an MQTT broker, and what its refusals mean."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from pylib.errors import Failure, Permanent, Transient
from pylib.settings.credentials import Secret

CONNECT_S = 10.0
"""Seconds for each of: TCP connect; TLS; the broker's answer to who we are."""
UNAVAILABLE = "Server unavailable"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish, which the broker confirms."""

    topic: str
    payload: bytes
    retain: bool = False
    """Whether the broker keeps it for those who come later; an empty payload ends that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker's address, login and timeouts."""

    host: str = "localhost"
    port: int = 1883
    username: str = ""
    password: Secret = field(default=Secret(""))
    tls: bool = False
    ca_file: str = ""
    """PEM file of the authority that signed the broker's certificate; the system's authorities unless set."""
    keepalive: int = 30
    """Seconds after which a silent connection is tested; it is lost when the test takes as long again."""

    @property
    def address(self) -> str:
        """`host:port`, as log lines name it."""
        return f"{self.host}:{self.port}"

    def client(self, client_id: str, *, will: Outgoing | None = None, persistent: bool = False) -> Any:
        """A `pylib.mqtt.client.BoundedClient` that is ready to connect, and acknowledges only when told to.

        `will`: what the broker publishes when the connection is lost. `persistent`: the broker keeps what comes for
        this client id while it is away. Raises `Permanent` where `ca_file` is of no use.
        """
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        from pylib.mqtt.client import BoundedClient

        client = BoundedClient(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=not persistent,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        if self.username:
            client.username_pw_set(self.username, self.password.get_secret_value())
        if self.tls:
            client.tls_set_context(self._tls_context())
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        return client

    def open(self, client: Any) -> None:
        """Connect, without the broker's answer yet; blocks for `CONNECT_S` at most twice. Raises what sockets raise."""
        client.connect(self.host, self.port, keepalive=self.keepalive)

    def _tls_context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except ssl.SSLError:
            raise Permanent("mqtt_tls", f"there is no certificate in {self.ca_file}") from None
        except OSError as error:
            raise Permanent("mqtt_tls", f"cannot read {self.ca_file}: {error.strerror}") from None


def refusal(reason: str) -> Failure:
    """The failure behind the broker's answer to who we are, which names no login."""
    if reason == UNAVAILABLE:
        return Transient("mqtt_away", "the broker is not available now")
    return Permanent("mqtt_refused", f"the broker refuses us: {reason}")


def explain(error: Exception) -> Failure:
    """The failure behind an exception of a connection: `Permanent` when a person has to change something first."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = getattr(error, "verify_message", "") or error.strerror
        return Permanent("mqtt_tls", f"the broker's certificate is not accepted: {reason}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Transient("mqtt_away", "the broker ended the connection in the middle of TLS's handshake")
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", "") or error.strerror
        return Permanent("mqtt_tls", f"the broker speaks no TLS that we know: {reason}")
    if isinstance(error, OSError):
        return Transient("mqtt_away", error.strerror or str(error) or type(error).__name__)
    return Transient("mqtt_away", type(error).__name__)
