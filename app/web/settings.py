"""The section `web` of the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from pylib.aws.bucket_name import BucketName
from pylib.aws.calls import AwsSettings
from pylib.settings.credentials import Secret
from pylib.settings.fields import Network, Port, PublicUrl, Section


def _folder(prefix: str) -> str:
    plain = prefix.strip("/")
    if not plain:
        raise ValueError("must name a folder such as uploads/: a source that looks for pictures looks there")
    return f"{plain}/"


class UploadBucketSettings(AwsSettings):
    """The bucket that browsers upload to, past this service."""

    bucket: BucketName = Field(
        default="",
        max_length=255,
        description="Bucket that the album's upload sends pictures to, straight from the browser; a source of kind"
        " `sqs`, `bucket` or `bucket_amqp` has to bring them in from there. Empty to upload through the service.",
    )
    prefix: Annotated[str, AfterValidator(_folder)] = Field(
        default="uploads/", max_length=200, description="Folder in the bucket that they go to."
    )
    path_style: bool = Field(
        default=False,
        description="Put the bucket into the path instead of the host name, as most other servers want it.",
    )
    lifetime: int = Field(
        default=3600,
        ge=60,
        le=43_200,
        description="Seconds for which the bucket accepts a picture after the browser asked to send it.",
    )


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
    remote_user_header: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        max_length=60,
        description="Header in which a trusted proxy names the user whom it has logged in (Remote-User); from nobody"
        " else is it read. Empty to read none.",
    )
    open_health: bool = Field(
        default=True, description="Answer /health/live and /health/ready without a password, in one word."
    )
    open_metrics: bool = Field(default=False, description="Answer /metrics without a password.")
    max_upload_mb: float = Field(default=25, gt=0, le=1000, description="Largest uploaded picture, in megabytes.")
    upload_bucket: UploadBucketSettings = Field(
        default=UploadBucketSettings(), description="The bucket that browsers upload to, past this service."
    )
    thumbnail_widths: tuple[Annotated[int, Field(ge=16, le=2048)], ...] = Field(
        default=(160, 320, 480, 960),
        max_length=20,
        description="Widths in pixels that programs may ask of a thumbnail; each is kept on the disk once it was made.",
    )
    max_per_address: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Connections at once from one address, those of trusted proxies aside; each page open in a browser"
        " holds one.",
    )

    @property
    def own_url(self) -> str:
        """Where a program on this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - where it listens
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
