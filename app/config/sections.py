"""The sections of the configuration that are the service's own, with the rules for their values."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
    model_validator,
)

from app.config.broker_address import BrokerAddress
from pylib.observability.syslog import SyslogTarget
from pylib.settings.credentials import Secret
from pylib.settings.fields import Section, SmallLetters, WebAddress


def _syslog(value: str) -> str:
    if value:
        SyslogTarget.parse(value)
    return value


class Device(Section):
    """Something that the heartbeat names."""

    type: str = Field(min_length=1, description="`Camera`, or another type such as `Contact`.")
    location: str = Field(min_length=1, description="Where it is.")

    @property
    def device_key(self) -> str:
        """The name that messages use: `Front Door Camera`."""
        return f"{self.location} {self.type}"


class LogSettings(Section):
    """The log: how much of it, in which form, and where to."""

    level: Annotated[Literal["debug", "info", "warning", "error", "critical"], SmallLetters] = Field(
        default="info", description="Lowest level that is logged: debug, info, warning, error or critical."
    )
    format: Annotated[Literal["auto", "console", "json"], SmallLetters] = Field(
        default="auto",
        description="console for people, json for log collectors; auto is console on a terminal, else json.",
    )
    syslog: Annotated[str, AfterValidator(_syslog)] = Field(
        default="", description="Syslog that gets the log as well: `udp://host:514`, `tcp://host:514` or `/dev/log`."
    )


class MonitorSettings(Section):
    """Services outside that raise an alarm when this one stops pinging them."""

    hc_ping_url: WebAddress = Field(default=Secret(""), description="Ping address of a healthchecks.io check.")
    cronitor_monitor_key: Secret = Field(default=Secret(""), description="Key of a Cronitor heartbeat monitor.")
    cronitor_base_url: str = Field(
        default="https://cronitor.link", pattern="^https?://", description="Where Cronitor takes pings."
    )
    interval: float = Field(default=60, ge=1, le=86_400, description="Seconds between pings.")


class RabbitMQSettings(Section):
    """The broker that triggers come from and events go to."""

    server_address: str = Field(
        default="",
        description="host, host:port or amqp(s)://user:password@host:port/vhost; the parts of a URL override the"
        " settings below. Empty for no broker.",
    )
    port: int = Field(default=0, ge=0, le=65_535, description="Port; 0 for 5672, or 5671 with TLS.")
    username: str = Field(default="guest", description="User name.")
    password: Secret = Field(default=Secret("guest"), description="Password; guest unless set.")
    vhost: str = Field(default="/", min_length=1, description="Virtual host.")
    tls: bool = Field(default=False, description="Use TLS, and check the broker's certificate.")
    exchange: str = Field(
        default="home_automation",
        min_length=1,
        max_length=100,
        description="Topic exchange for events. Its name with `_control` appended is the exchange for triggers.",
    )
    device_topic: str = Field(
        default="snapshot",
        min_length=1,
        max_length=50,
        description="Word for this service in routing keys: `event.trigger.<topic>`, `event.notify.<topic>...`.",
    )
    durable_exchanges: bool = Field(
        default=False, description="Declare both exchanges durable; all programs that declare them must do the same."
    )
    queue_type: Annotated[Literal["quorum", "classic"], SmallLetters] = Field(
        default="quorum",
        description="Type of the service's own queues: quorum, or classic for a broker without quorum queues.",
    )
    prefetch: int = Field(default=1000, ge=1, le=65_535, description="Triggers that may be unacknowledged at once.")
    heartbeat: int = Field(default=10, ge=5, le=600, description="Seconds between heartbeats on the connection.")
    unroutable_for: float = Field(
        default=3600,
        ge=0,
        le=31_536_000,
        description="Seconds for which an event is tried again while no queue is bound for it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _split_address(cls, values: Any) -> Any:
        """Give a URL's parts to the fields they belong to, so that no login stays in `server_address`."""
        text = values.get("server_address") if isinstance(values, dict) else None
        if not isinstance(text, str) or not text.strip():
            return values
        with suppress(ValueError):  # `_readable` complains, in the right place
            return {**values, **BrokerAddress.parse(text.strip()).settings()}
        return values

    @field_validator("server_address")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value.strip():
            BrokerAddress.parse(value.strip())
        return value.strip()

    @property
    def broker_port(self) -> int:
        """The port to connect to."""
        return self.port or (5671 if self.tls else 5672)
