"""The sections of the configuration that are the service's own, with the rules for their values."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from app.broker_address import BrokerAddress
from pylib.credentials import Secret
from pylib.syslog import Target


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _network(value: str) -> str:
    try:
        return str(ip_network(value.strip(), strict=False))
    except ValueError:
        raise ValueError("must be a network such as 192.168.1.0/24") from None


def _web_address(value: Secret) -> Secret:
    address = value.get_secret_value().strip()
    if address and not address.startswith(("http://", "https://")):
        raise ValueError("must be an http or https address")
    return Secret(address)


def _public_url(value: str) -> str:
    address = value.strip().rstrip("/")
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise ValueError("must be an address such as https://home.example/album")
    return address


def _time_zone(value: str) -> str:
    # The C library's TZ begins a file name with a colon, and this file is what an empty value means too.
    name = value.removeprefix(":")
    if name in ("", "/etc/localtime"):
        return ""
    with suppress(OSError, ValueError, KeyError):  # a directory, a bad name, an unknown zone
        return ZoneInfo(name).key
    raise ValueError("must be a time zone such as Europe/Berlin or UTC, known to the system (package tzdata)")


def _directory(value: Path) -> Path:
    try:
        return value.expanduser().absolute()
    except RuntimeError:
        raise ValueError("names the home of a user whom this system does not know") from None


def _syslog(value: str) -> str:
    if value:
        Target.parse(value)
    return value


SmallLetters = BeforeValidator(_lower)
Network = Annotated[str, AfterValidator(_network)]
"""In CIDR notation; host bits are dropped."""
TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""A name of the IANA database; empty for the system's zone."""
Directory = Annotated[Path, AfterValidator(_directory)]
"""Absolute; `~` is the user's home."""
PublicUrl = Annotated[str, AfterValidator(_public_url)]
"""Without a slash at its end."""
WebAddress = Annotated[Secret, AfterValidator(_web_address)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Section(BaseModel):
    """What all sections have: nothing unknown, nothing changed later, no value in pydantic's own errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


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


class WebSettings(Section):
    """The album and the HTTP API."""

    enabled: bool = Field(default=True, description="Serve the album and the HTTP API.")
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address it listens on; 0.0.0.0 for other machines too.",
    )
    port: Port = Field(default=8080, description="Port it listens on.")
    password: Secret = Field(
        default=Secret(""),
        description="Password for the album and the API. Without one, everyone on this machine may use them if they"
        " listen on a loopback address; else a password is made, and shown once in the log.",
    )
    public_url: PublicUrl = Field(
        default="",
        description="Address that people type to reach the album, with the reverse proxy's path if there is one"
        " (https://home.example/album); needed for links in messages.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        description="Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto headers are trusted.",
    )
    open_health: bool = Field(
        default=True, description="Answer /health/live and /health/ready without a password, in one word."
    )
    open_metrics: bool = Field(default=False, description="Answer /metrics without a password.")
    max_upload_mb: float = Field(default=25, gt=0, le=1000, description="Largest uploaded picture, in megabytes.")

    @property
    def own_url(self) -> str:
        """Where a program on this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - where it listens
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
