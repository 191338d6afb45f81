"""The settings of the mail server."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pylib.settings.credentials import Secret
from pylib.settings.fields import Directory, Network, Port, Section, SmallLetters

BANS_FILE = "mail-bans.json"
"""In the data directory, as the FTP server's."""


class MailSettings(Section):
    """The mail server (SMTP) for cameras that can only mail their pictures."""

    enabled: bool = Field(default=False, description="Run the mail server; it also needs a login or open networks.")
    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - its clients are other machines, and each has to log in
        min_length=1,
        description="Address it listens on; :: for IPv6 and IPv4.",
    )
    port: Port = Field(default=2525, description="Port it listens on.")
    username: str = Field(default="", max_length=100, description="User name of the login for all cameras.")
    password: Secret = Field(default=Secret(""), description="Password of that login.")
    open_networks: tuple[Network, ...] = Field(
        default=(), description="Networks whose cameras need no login, such as 192.168.1.0/24."
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        description="Networks of balancers that begin every connection with a PROXY header (HAProxy: send-proxy-v2)."
        " Without one nothing is taken from there.",
    )
    tls: Annotated[Literal["off", "starttls", "required", "implicit"], SmallLetters] = Field(
        default="starttls",
        description="off; starttls: offered; required: no mail before STARTTLS; implicit: TLS from the first byte.",
    )
    certificate_file: Directory | None = Field(
        default=None, description="PEM file with the certificate chain; one is made at the first start unless set."
    )
    key_file: Directory | None = Field(default=None, description="PEM file with the certificate's private key.")
    max_message_bytes: int = Field(
        default=25_000_000,
        ge=10_000,
        le=200_000_000,
        description="Larger mails are refused. A picture is a third larger in a mail than on disk.",
    )
    max_pictures: int = Field(default=20, ge=1, le=100, description="Mails with more pictures are refused as a whole.")
    max_connections: int = Field(default=40, ge=1, le=10_000, description="Connections at once.")
    max_per_address: int = Field(default=10, ge=1, le=10_000, description="Connections at once from one address.")

    @model_validator(mode="after")
    def _complete(self) -> MailSettings:
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise ValueError("username and password belong together: set both or none")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together: set both or none")
        if self.enabled and not self.username and not self.open_networks:
            raise ValueError("set username and password, or open_networks to take mail without a login")
        return self
