"""The service's own sections of the configuration, with the rules for their values."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
)

from pylib.observability.syslog import SyslogTarget
from pylib.settings.credentials import Secret
from pylib.settings.fields import MapFromText, Section, ServerUrl, SmallLetters, WebAddress


def _syslog(value: str) -> str:
    if value:
        SyslogTarget.parse(value)
    return value


HEADER = re.compile(r"[A-Za-z0-9-]+")


def _headers(headers: dict[str, Secret]) -> dict[str, Secret]:
    for name, value in headers.items():
        text = value.get_secret_value()
        if not HEADER.fullmatch(name) or not text.isascii() or not text.isprintable():
            raise ValueError("headers have names of letters, digits and hyphens, and values of plain letters")
    return headers


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


class TracingSettings(Section):
    """What happens to each event and how long it takes, as traces of OpenTelemetry."""

    endpoint: ServerUrl = Field(
        default="",
        description="Where a collector takes OTLP over HTTP, without the path: `http://collector:4318`. Empty for no"
        " traces.",
    )
    ratio: float = Field(
        default=1.0, ge=0, le=1, description="Share of the events that are traced, 0 to 1; a trigger may say so itself."
    )
    headers: Annotated[dict[str, Secret], MapFromText, AfterValidator(_headers)] = Field(
        default={}, description='Headers for the collector, a key for example: `{"authorization": "Bearer ..."}`.'
    )
