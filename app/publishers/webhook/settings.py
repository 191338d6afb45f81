"""The settings of a webhook, and what is found out about them before the first event."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, model_validator

from app.publishers import PublishError
from app.publishers.templates import Template
from app.publishers.webhook.payload import sample
from pylib.settings.credentials import Secret
from pylib.settings.fields import MapFromText, Section

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What the name of a header consists of (RFC 9110, 5.6.2)."""
_HOST = re.compile(r"[\w.-]+", re.ASCII)
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "x-snapshot-signature"})
"""Headers that belong to the connection, or prove something."""


def _url(value: Secret) -> Secret:
    address = value.get_secret_value().strip()
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f\x7f]", address):
        raise ValueError("must be an http or https address")
    if not _is_host(parts.hostname or ""):
        raise ValueError("must have a host of 1 to 63 letters, digits and hyphens between its dots")
    return Secret(address)


def _is_host(host: str) -> bool:
    """Whether anybody could look it up; IPv6 addresses have been checked with their brackets."""
    try:
        return ":" in host or bool(_HOST.fullmatch(host.encode("idna").decode()))
    except UnicodeError:  # a part that is empty or too long
        return False


def _renders(text: str) -> str:
    try:
        if text:
            Template(text, "body").render(sample())
    except PublishError as error:
        raise ValueError(error.detail) from None
    return text


def _headers(headers: dict[str, Secret]) -> dict[str, Secret]:
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            raise ValueError("the name of a header has letters, digits and hyphens only")
        if name.lower() in OURS:
            raise ValueError(f"the header {name} is not yours to set")
        try:
            Template(value.get_secret_value(), name).render(sample())
        except PublishError:  # which may quote what is secret
            raise ValueError(f"the template of the header {name} fails; in {{{{ }}}} stand fields of events") from None
    return headers


class WebhookSettings(Section):
    """Events as HTTP requests to an address of yours."""

    url: Annotated[Secret, AfterValidator(_url)] = Field(
        description="Address that events are sent to: http://... or https://..."
    )
    method: Literal["POST", "PUT"] = Field(default="POST", description="POST or PUT.")
    format: Literal["json", "multipart"] = Field(
        default="json", description="json, or multipart: a form with the JSON as `event` and the picture as `picture`."
    )
    picture: Literal["still", "animation"] = Field(
        default="still",
        description="The picture of a form: still, or animation, a GIF where an event has several pictures.",
    )
    picture_width: int = Field(
        default=0,
        ge=0,
        le=4096,
        description="Pixels to which a form's picture is narrowed; 0 for the picture as it is, without its EXIF.",
    )
    body: Annotated[str, AfterValidator(_renders)] = Field(
        default="", description="Template (Jinja2) of a body of your own, in place of the JSON."
    )
    headers: Annotated[dict[str, Secret], MapFromText, AfterValidator(_headers)] = Field(
        default_factory=dict, description="Further headers, each value a template (Jinja2); a login for example."
    )
    secret: Secret = Field(
        default=Secret(""), description="Key that requests are signed with (X-Snapshot-Signature); empty for none."
    )
    timeout: float = Field(default=10, gt=0, le=120, description="Seconds that one request may take in all.")
    verify: bool = Field(default=True, description="Check the certificate of an https address.")
    ca_file: FilePath | None = Field(
        default=None, description="PEM file with the certificates to trust, in place of the public authorities'."
    )
    give_up_after: float = Field(
        default=86_400,
        ge=0,
        le=31_536_000,
        description="Seconds after which an event is given up that was refused all the time, by a 401, 403 or 404"
        " for example.",
    )

    @model_validator(mode="after")
    def _form_has_its_own_type(self) -> WebhookSettings:
        if self.format == "multipart" and "content-type" in map(str.lower, self.headers):
            raise ValueError("the header Content-Type says how the parts of a form are told apart: leave it out")
        return self

    @property
    def shown(self) -> str:
        """The target in sentences: host and port, without what may be secret in the address."""
        parts = urlsplit(self.url.get_secret_value())
        host = parts.hostname or ""
        return f"{f'[{host}]' if ':' in host else host}" + (f":{parts.port}" if parts.port else "")
