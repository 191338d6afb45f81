"""The settings of the FTP server."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from pylib.settings.credentials import Secret
from pylib.settings.fields import Directory, Network, Port, Section, SmallLetters

BANS_FILE = "ftp-bans.json"
"""In the data directory: bans and welcome logins, across restarts and for `check`, which is another process."""


def _folder(value: str) -> str:
    parts = PurePosixPath(value.strip().strip("/")).parts
    if any(part == ".." or part.startswith(".") for part in parts):
        raise ValueError("must be a folder below the upload area, none of whose names begins with a dot")
    return str(PurePosixPath(*parts)) if parts else ""


def _range(value: str) -> str:
    first, _, last = value.replace(" ", "").partition("-")
    if not (first + (last or first)).isdecimal() or not 1 <= int(first) <= int(last or first) <= 65_535:
        raise ValueError("must be a range of ports such as 30000-30019")
    return f"{int(first)}-{int(last or first)}"


def _address(value: str) -> str:
    try:
        return str(IPv4Address(value.strip())) if value.strip() else ""
    except AddressValueError:
        raise ValueError("must be an IPv4 address such as 192.168.1.10") from None


Folder = Annotated[str, AfterValidator(_folder)]
"""Relative to the upload area, with slashes."""


class FtpLogin(Section):
    """A login of one camera's own, confined to that camera's folder."""

    location: str = Field(min_length=1, description="Location of the camera.")
    username: str = Field(min_length=1, max_length=100, description="User name.")
    password: Secret = Field(min_length=1, description="Password.")


class FtpSettings(Section):
    """The FTP server for cameras that push their pictures."""

    enabled: bool = Field(default=True, description="Run the FTP server; it also needs a login.")
    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - its clients are other machines, and each has to log in
        min_length=1,
        description="Address it listens on; :: for IPv6 and IPv4.",
    )
    port: Port = Field(default=2121, description="Port it listens on.")
    username: str = Field(
        default="", max_length=100, description="User name of the shared login, whose root is the whole upload area."
    )
    password: Secret = Field(
        default=Secret(""), description="Password of the shared login; without one there is no such login."
    )
    logins: tuple[FtpLogin, ...] = Field(
        default=(), description="Logins of single cameras, each confined to its camera's folder."
    )
    upload_dir: Folder = Field(
        default="uploads/snapshots", description="Folder in the upload area that holds the cameras' folders."
    )
    create_dirs: tuple[Folder, ...] = Field(default=(), description="Further folders to create in the upload area.")
    passive_ports: Annotated[str, AfterValidator(_range)] = Field(
        default="30000-30019",
        description="Ports for passive data connections; Docker must map them one to one.",
    )
    masquerade_address: Annotated[str, AfterValidator(_address)] = Field(
        default="",
        description="IPv4 address that passive clients connect to: the host's, when the service runs in a container.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        description="Networks of balancers that begin every connection with a PROXY header (HAProxy: send-proxy-v2)."
        " Without one nothing is taken from there.",
    )
    tls: Annotated[Literal["off", "offered", "required"], SmallLetters] = Field(
        default="offered", description="Explicit FTPS (AUTH TLS): off, offered or required."
    )
    certificate_file: Directory | None = Field(
        default=None, description="PEM file with the certificate chain; one is made at the first start unless set."
    )
    key_file: Directory | None = Field(default=None, description="PEM file with the certificate's private key.")
    max_connections: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Sessions at once; each may also have one data connection.",
    )
    max_per_address: int = Field(default=10, ge=1, le=10_000, description="Sessions at once from one address.")
    quota: int = Field(
        default=1_000_000_000,
        ge=0,
        description="Bytes that one camera's uploads may occupy until they are processed; 0 for no limit.",
    )
    stall_timeout: float = Field(
        default=60,
        ge=1,
        le=3600,
        description="Seconds of silence after which a connection is closed; "
        "a transfer of less than 500 bytes a second has twice as long.",
    )
    ban_after: int = Field(
        default=10,
        ge=1,
        le=10_000,
        description="Different wrong passwords after which a login is banned at an address.",
    )
    ban_within: float = Field(
        default=600, ge=1, le=86_400, description="Seconds within which wrong passwords are counted."
    )
    ban_for: float = Field(default=3600, ge=1, le=31_536_000, description="Seconds that a ban lasts.")

    @model_validator(mode="after")
    def _both_files(self) -> FtpSettings:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together: set both or none")
        return self

    @property
    def passive_range(self) -> range:
        """The passive ports."""
        first, last = map(int, self.passive_ports.split("-"))
        return range(first, last + 1)
