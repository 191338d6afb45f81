"""The settings of the service, and how the configuration is read."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr

from app import archives, cameras, publishers, sources
from app.archives.google_drive import GoogleDriveSettings
from app.archives.s3.settings import S3Settings
from app.booth.settings import BoothSettings
from app.cameras import CameraSettings
from app.cameras.address import HOME_NETWORKS
from app.config.archives import ArchiveSettings
from app.config.auto_detector import DETECTOR_KINDS, choose_detector
from app.config.consistency import refuse_mixed_thumbnails, refuse_what_does_not_fit
from app.config.devices import merge_devices
from app.config.environment import ALIASES, AWS, Row, known_names, rows, settings_of
from app.config.misplaced import refuse_frigates, tell_misplaced
from app.config.mqtt import MqttSection
from app.config.numbered import merge_numbered, refuse_doubles
from app.config.sections import Device, LogSettings, MonitorSettings, TracingSettings
from app.describe.settings import DescribeSettings
from app.detectors import DetectorSettings
from app.films.recipe import HomeSettings, ScheduledFilm
from app.films.running_settings import RunningFilmSettings
from app.index.settings import IndexSettings
from app.replicas.settings import ReplicaSettings
from app.sources.hooks import HookSettings
from app.storage.animations import AnimationSettings
from app.storage.settings import RetentionSettings
from app.uploads.ftp.settings import FtpSettings
from app.uploads.mail.settings import MailSettings
from app.uploads.settings import UploadSettings
from app.web.settings import WebSettings
from pylib.rabbitmq.settings import RabbitMQSettings
from pylib.settings.credentials import RUN_SECRETS, CredentialError, Environment, Secret
from pylib.settings.draft import SettingsBuilder
from pylib.settings.fields import Directory, Network, Section, TimeZone, WebAddress
from pylib.settings.kinds import KindField, Named, list_of
from pylib.settings.onepassword import OnePassword
from pylib.settings.yaml_file import Location, YamlError, YamlFile, read_yaml

CAMERA_KINDS = KindField(tuple(cameras.KINDS), lambda kind: cameras.KINDS.load(kind).Settings, default="foscam")
SOURCE_KINDS = list_of(sources.KINDS)
PUBLISHER_KINDS = list_of(publishers.KINDS)
ARCHIVE_KINDS = list_of(archives.KINDS)
TARGETS = ("rabbitmq", "mqtt", "google_drive", "s3", "folder", "index")
"""Names in the journal of targets that have a section of their own."""
ORIGINS = ("rabbitmq", "mqtt", "http", "schedule", "ftp", "mail", "folder", "import", "booth")
"""Where snapshots come from without an entry in `sources`."""
MAX_AUTOMATIC_WORKERS = 128

CONFIG_FILES = (Path("config.yml"), Path("config/config.yml"), Path("/config/config.yml"))
"""Where the configuration is looked for, the first one counts, unless `CONFIG_FILE` names it."""


class Settings(Section):
    """The whole configuration. Made by `load`."""

    app_name: str = Field(
        default="snapshot-processor",
        min_length=1,
        max_length=64,
        description="Name of the service in logs and queues, and of its item `ENV.<app name>` in the 1Password vault.",
    )
    device_name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=100,
        description="Word for this device in the routing keys of events; the host name unless set.",
    )
    data_dir: Directory = Field(
        default=Path("data"),
        validate_default=True,
        description="Directory for pictures and the journal, on a local disk.",
    )
    time_zone: TimeZone = Field(
        default="",
        description="Time zone for days and for times without a zone, such as Europe/Berlin; the system's unless set.",
    )
    max_age: float = Field(
        default=120,
        ge=0,
        le=31_536_000,
        description="Seconds after which a trigger that waited is stale and gets no picture; 0 for never.",
    )
    max_pending: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="Triggers that may wait for one camera; further ones end as `overloaded`.",
    )
    fetch_workers: int = Field(
        default=0,
        ge=0,
        le=1024,
        description=f"Cameras asked at the same time; 0 for as many as there are, up to {MAX_AUTOMATIC_WORKERS}.",
    )
    shutdown_grace: float = Field(
        default=20,
        gt=0,
        le=600,
        description="Seconds for an orderly end; must be less than the container's stop_grace_period.",
    )
    max_pixels: int = Field(
        default=50_000_000,
        ge=10_000,
        le=500_000_000,
        description="Pictures with more pixels are refused before they are decoded.",
    )
    log: LogSettings = Field(default=LogSettings(), description="The log.")
    sentry_dsn: WebAddress = Field(default=Secret(""), description="Sentry's DSN, for errors; empty for none.")
    monitors: MonitorSettings = Field(
        default=MonitorSettings(), description="Services outside that raise an alarm when this one stops pinging them."
    )
    tracing: TracingSettings = Field(
        default=TracingSettings(),
        description="Traces of events (OpenTelemetry); needs the extra `tracing`.",
    )
    rabbitmq: RabbitMQSettings = Field(
        default=RabbitMQSettings(), description="The broker that triggers come from and events go to."
    )
    replicas: ReplicaSettings = Field(
        default=ReplicaSettings(), description="Several services that share the triggers of one RabbitMQ."
    )
    mqtt: MqttSection = Field(
        default=MqttSection(), description="The MQTT broker that triggers come from and events go to; Home Assistant."
    )
    cameras: tuple[Annotated[CameraSettings, CAMERA_KINDS], ...] = Field(default=(), description="The cameras.")
    camera_networks: tuple[Network, ...] = Field(
        default=HOME_NETWORKS,
        description="Networks in which an address from a trigger must lie; the private and loopback ranges unless set.",
    )
    inputs: tuple[Device, ...] = Field(
        default=(), description="Sensors that the heartbeat names; one of type Camera is a camera too."
    )
    outputs: tuple[Device, ...] = Field(
        default=(),
        description="Devices that the heartbeat names, besides all cameras; one of type Camera is a camera too.",
    )
    detector: Annotated[DetectorSettings, DETECTOR_KINDS] = Field(
        default=DetectorSettings(kind="auto"), description="The detector, which says what is in a picture."
    )
    describe: DescribeSettings = Field(
        default=DescribeSettings(), description="A sentence about each event's picture, by a model that sees pictures."
    )
    ftp: FtpSettings = Field(default=FtpSettings(), description="The FTP server for cameras that push.")
    mail: MailSettings = Field(default=MailSettings(), description="The mail server for cameras that send mails.")
    uploads: UploadSettings = Field(default=UploadSettings(), description="How files that cameras send are processed.")
    archive: ArchiveSettings = Field(
        default=ArchiveSettings(), description="Archive in a folder on a local or mounted disk."
    )
    s3: S3Settings = Field(default=S3Settings(), description="Archive in Amazon S3, or on a server with its protocol.")
    google_drive: GoogleDriveSettings = Field(default=GoogleDriveSettings(), description="Archive in Google Drive.")
    backup_s3_bucket: str = Field(
        default="", description="S3 bucket for a copy of Google Drive's token; empty for none."
    )
    index: IndexSettings = Field(
        default=IndexSettings(), description="The events of all replicas in one place; needs the extra `postgres`."
    )
    retention: RetentionSettings = Field(
        default=RetentionSettings(), description="How long pictures stay in the cache."
    )
    animations: AnimationSettings = Field(
        default=AnimationSettings(), description="GIF, WebP and MP4 of events with several pictures."
    )
    web: WebSettings = Field(default=WebSettings(), description="The album and the HTTP API.")
    booth: BoothSettings = Field(default=BoothSettings(), description="The photo booth, at `/booth`.")
    sources: tuple[Annotated[Named, SOURCE_KINDS], ...] = Field(
        default=(), description="Where triggers come from, besides `rabbitmq`, HTTP and the cameras' `every`."
    )
    hooks: tuple[HookSettings, ...] = Field(
        default=(), description="Addresses that other programs call with JSON of their own, to have a picture taken."
    )
    publishers: tuple[Annotated[Named, PUBLISHER_KINDS], ...] = Field(
        default=(), description="Where events are sent, besides `rabbitmq`."
    )
    archives: tuple[Annotated[Named, ARCHIVE_KINDS], ...] = Field(
        default=(), description="Where pictures are kept, besides `google_drive`, `s3` and `archive`."
    )

    home: HomeSettings = Field(default=HomeSettings(), description="Where the home is, for sunrise and sunset.")
    films: tuple[ScheduledFilm, ...] = Field(default=(), description="Films that are made each day or week.")
    running_films: tuple[RunningFilmSettings, ...] = Field(
        default=(), description="Films that grow for years: each day's pictures are added to them."
    )

    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _config_file: Path | None = PrivateAttr(default=None)
    _aws_environment: dict[str, Secret] = PrivateAttr(default_factory=dict)
    _places: Mapping[Location, str] = PrivateAttr(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks like a typing error but may be meant, one line each."""
        return self._warnings

    @property
    def config_file(self) -> Path | None:
        """The file that was read."""
        return self._config_file

    def not_from_file(self, location: Location) -> dict[str, str]:
        """Names in a section whose values do not come from the file -> what they come from."""
        depth = len(location)
        return {str(at[depth]): of for at, of in self._places.items() if at[:depth] == location and len(at) > depth}

    @property
    def aws_environment(self) -> Mapping[str, Secret]:
        """`AWS_...` from secret files or the vault; boto3 sees them only once they are exported."""
        return self._aws_environment

    @property
    def fetch_threads(self) -> int:
        """How many cameras are asked at once: `fetch_workers`, or one for each camera."""
        return self.fetch_workers or max(1, min(len(self.cameras), MAX_AUTOMATIC_WORKERS))


def load(
    config_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    secrets: Path = RUN_SECRETS,
    patience: float = 30.0,
) -> Settings:
    """Read the configuration file, the environment, secret files and the vault, if one is named.

    Without `config_file`: what `CONFIG_FILE` names, else the first of `CONFIG_FILES` that exists, else none.
    Blocks for at most about `patience` seconds for a vault that is not up yet.
    Raises `pylib.settings.draft.ConfigError` with everything that is wrong.
    """
    problems: list[str] = []
    environment = Environment(os.environ if environ is None else environ, secrets=secrets)
    file = _read_file(config_file or find_file(environment.variables), problems)
    refuse_frigates(file)
    environment = _with_vault(environment, file, problems, patience=patience)
    draft = SettingsBuilder(environment, file)
    draft.problems += problems
    draft.overlay(variable for variable in settings_of(Settings) if variable.location[0] != "detector")
    choose_detector(draft, ALIASES)
    tell_misplaced(draft, sections=Settings.model_fields)
    merge_devices(draft, CAMERA_KINDS)
    merge_numbered(draft, Settings)
    refuse_doubles(draft, ("sources",), taken=ORIGINS)
    refuse_doubles(draft, ("publishers", "archives"), taken=TARGETS)
    refuse_doubles(draft, ("hooks",), taken=())
    refuse_doubles(draft, ("films",), taken=())
    refuse_doubles(draft, ("running_films",), taken=())
    draft.warn_of_typos(known_names(Settings, CAMERA_KINDS, given=draft.environment.names()))
    settings = draft.build(Settings)
    refuse_what_does_not_fit(draft, settings)
    refuse_mixed_thumbnails(draft, settings)
    settings._warnings = tuple(draft.warnings)
    settings._config_file = file.path if file else None
    settings._aws_environment = _aws_environment(draft)
    settings._places = draft.places
    return settings


def json_schema() -> dict[str, Any]:
    """A JSON schema of the configuration file, for editors."""
    schema = Settings.model_json_schema()
    _drop_secret_defaults(schema)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | schema | {"title": "snapshot-processor"}


def _drop_secret_defaults(schema: object) -> None:
    if isinstance(schema, dict):
        if schema.get("writeOnly") or "$ref" in schema:
            schema.pop("default", None)  # a row of asterisks, or a section with one in it
        for part in schema.values():
            _drop_secret_defaults(part)
    elif isinstance(schema, list):
        for part in schema:
            _drop_secret_defaults(part)


def environment_table() -> list[Row]:
    """Every name in the environment: (name, path in the file, description, default); `n` is a number."""
    return list(rows(Settings, CAMERA_KINDS))


def find_file(environ: Mapping[str, str]) -> Path | None:
    """The configuration file that is read where none is named otherwise; None where there is none."""
    named = environ.get("CONFIG_FILE", "").strip()
    return Path(named) if named else next((path for path in CONFIG_FILES if path.is_file()), None)


def _read_file(path: Path | None, problems: list[str]) -> YamlFile | None:
    try:
        return read_yaml(path) if path else None
    except YamlError as error:
        problems.append(error.detail)
        return None


def _with_vault(
    environment: Environment, file: YamlFile | None, problems: list[str], *, patience: float
) -> Environment:
    try:
        named = environment.get("APP_NAME")
        app_name = named.value.strip() if named else file and file.values.get("app_name")
        item = f"ENV.{app_name or Settings.model_fields['app_name'].default}"
        vault = OnePassword.from_environment(environment, patience=patience)
        return environment.with_vault(vault.fields(item), name=f"1Password {item}") if vault else environment
    except CredentialError as error:
        problems.append(error.detail)
        return environment


def _aws_environment(draft: SettingsBuilder) -> dict[str, Secret]:
    found = {name: draft.get(name) for name in AWS if name not in draft.environment.variables}
    return {name: Secret(value.value) for name, value in found.items() if value}
