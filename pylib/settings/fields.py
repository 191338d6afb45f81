"""Sections of a configuration, and the types of their fields."""

from __future__ import annotations

import json
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from pylib.settings.credentials import Secret


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


def _without_login(value: str) -> str:
    if "@" in value.partition("//")[2].partition("/")[0]:
        raise ValueError("must have no user and password in it: they would be in links and messages")
    return value


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


def _map(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('must be a map; in the environment it is written as JSON: {"key": "value"}') from None


SmallLetters = BeforeValidator(_lower)


MapFromText = BeforeValidator(_map)
"""For a map, which is JSON in the environment."""


Network = Annotated[str, AfterValidator(_network)]
"""In CIDR notation; host bits are dropped."""


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""A name of the IANA database; empty for the system's zone."""


Directory = Annotated[Path, AfterValidator(_directory)]
"""Absolute; `~` is the user's home."""


PublicUrl = Annotated[str, AfterValidator(_public_url)]
"""Without a slash at its end."""


ServerUrl = Annotated[PublicUrl, AfterValidator(_without_login)]
"""Where a server's paths begin: without a login, and without a slash at its end."""


Endpoint = Annotated[str, AfterValidator(_without_login)]
"""The address of a service, without a login."""


WebAddress = Annotated[Secret, AfterValidator(_web_address)]


Port = Annotated[int, Field(ge=1, le=65_535)]


class Section(BaseModel):
    """The base of all sections: no unknown settings, no changes later, no value in pydantic's own errors.

    Built with its first value: most kinds of adapters are known by their settings' names only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)
