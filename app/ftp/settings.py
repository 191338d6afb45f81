"""What can be configured about the FTP server."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from app.sections import Directory, Port, Section, SmallLetters
from pylib.credentials import Secret


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

    location: str = Field(min_length=1, description="The camera's.")
    username: str = Field(min_length=1, max_length=100, description="What the camera logs in with.")
    password: Secret = Field(min_length=1, description="Its password.")


class FtpSettings(Section):
    """The FTP server for cameras that push their pictures."""

    enabled: bool = Field(default=True, description="Run it; it needs a login, too.")
    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - its clients are other machines, and each has to log in
        min_length=1,
        description="Address it listens on; :: for IPv6 and IPv4.",
    )
    port: Port = Field(default=2121, description="Port it listens on.")
    username: str = Field(default="", max_length=100, description="Login whose root is the whole upload area.")
    password: Secret = Field(default=Secret(""), description="Its password; without one there is no such login.")
    logins: tuple[FtpLogin, ...] = Field(
        default=(), description="Logins of single cameras, each confined to the camera's folder."
    )
    upload_dir: Folder = Field(
        default="uploads/snapshots", description="Where the cameras' folders lie in the upload area."
    )
    create_dirs: tuple[Folder, ...] = Field(default=(), description="Further folders to make in the upload area.")
    passive_ports: Annotated[str, AfterValidator(_range)] = Field(
        default="30000-30019",
        description="Ports for passive data connections; a container maps them one to one.",
    )
    masquerade_address: Annotated[str, AfterValidator(_address)] = Field(
        default="",
        description="IPv4 address told to passive clients: the host's, where a container has another.",
    )
    tls: Annotated[Literal["off", "offered", "required"], SmallLetters] = Field(
        default="offered", description="FTPS (explicit, AUTH TLS): off, offered or required."
    )
    certificate_file: Directory | None = Field(
        default=None, description="Its certificate chain as PEM; one is made on the first start unless set."
    )
    key_file: Directory | None = Field(default=None, description="The certificate's private key as PEM.")
    max_connections: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Sessions at once; each may have one data connection besides.",
    )
    max_per_address: int = Field(default=10, ge=1, le=10_000, description="Sessions at once from one address.")
    quota: int = Field(
        default=1_000_000_000,
        ge=0,
        description="Bytes that one camera's uploads may take until they are processed; 0 for any number.",
    )
    stall_timeout: float = Field(
        default=60, ge=1, le=3600, description="Seconds of silence after which a connection is closed."
    )
    ban_after: int = Field(default=10, ge=1, le=10_000, description="Bad logins from one address until it is banned.")
    ban_within: float = Field(default=600, ge=1, le=86_400, description="Seconds within which these are counted.")
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
