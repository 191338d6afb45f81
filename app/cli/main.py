"""The command line: run the service, check it, send it a trigger, watch its events."""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import structlog

from app.cli.api_client import ApiClient, ServiceAway
from app.cli.archive import archive, clean, drive_login
from app.cli.backup import backup, restore
from app.cli.bans import bans
from app.cli.dead_letters import dead_letters
from app.cli.failures import exit_on_failure
from app.cli.film import film
from app.cli.iam import iam
from app.cli.notify import notify
from app.cli.running_film import running_film
from app.cli.telling import mode, replay, snooze
from app.cli.terminal import say
from app.cli.token import token
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.config.settings import Settings
from pylib.net.limiter import allow_many_files
from pylib.observability import logs, sentry
from pylib.observability.printable import printable
from pylib.settings.credentials import Secret

VERSION = version_of("snapshot-processor")
SENTRY_FLUSH_S = 2.0
M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="snapshot-processor")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file; unless given, CONFIG_FILE, ./config.yml, ./config/config.yml or /config/config.yml.",
)
@click.pass_context
def main(context: click.Context, config_file: Path | None) -> None:
    """Take pictures on triggers, detect what is in them, publish events, archive the pictures."""
    os.umask(0o077)  # pictures, journal and passwords are for their owner alone
    context.obj = config_file


@main.command()
def codes() -> None:
    """Print what all codes of failures mean and what to do about them, as Markdown."""
    from app import wording

    click.echo(wording.table(), nl=False)


@main.command()
@click.pass_obj
@exit_on_failure
def run(config_file: Path | None) -> None:
    """Run the service until it is stopped."""
    from app.bootstrap.service import Service

    settings = _prepared(config_file)
    service = Service(settings, version=VERSION)
    service.open()
    _end(service.run())


@main.command()
@click.argument("what", type=click.Choice(["cameras", "thumbnails", "booth"]), default="cameras")
@click.option("--every", default=5.0, show_default=True, help="Seconds between the pictures of a camera.")
@click.pass_obj
@exit_on_failure
def demo(config_file: Path | None, what: str, every: float) -> None:
    """Run the whole service on drawn cameras; needs no account, broker or camera.

    `thumbnails`: on a folder instead, whose pictures go to a bucket, as examples/thumbnails has it. `booth`:
    with the photo booth, whose pictures a drawn camera takes.
    """
    from app.cli.demo import run_demo
    from app.cli.thumbnails_demo import run_thumbnails_demo

    if what == "thumbnails":
        _end(run_thumbnails_demo(partial(_prepared, log_level="warning"), version=VERSION))
    settings = _prepared(config_file, log_level="warning")
    _end(run_demo(settings, version=VERSION, every=every, booth=what == "booth"))


@main.command()
@click.pass_obj
@exit_on_failure
def ftp(config_file: Path | None) -> None:
    """Run only the FTP server; uploads wait in their folders for a service that runs now or later."""
    from app.bootstrap.uploads import accounts_of, camera_folders_of
    from app.uploads.ftp.server import run_alone
    from app.uploads.inbox import Inbox

    settings = _prepared(config_file)
    accounts = accounts_of(settings)
    if not accounts:
        raise click.UsageError("there is no login: set FTP_USER and FTP_PASS, or ftp.logins in config.yml")
    area = Inbox(DataDir(settings.data_dir).uploads)
    folders = camera_folders_of(settings).folders()
    _end(run_alone(settings.ftp, accounts, inbox=area, data_dir=settings.data_dir, folders=folders))


@main.command()
@click.pass_obj
@exit_on_failure
def check(config_file: Path | None) -> None:
    """Check configuration, broker, cameras, detector, disk, clock and secrets, and print what to do."""
    from app.cli.check import Verdict
    from app.cli.check import check as look

    settings = _loaded(config_file)
    logs.configure(level="critical", format="console")
    worst = 0
    for finding in look(settings):
        mark = {
            Verdict.OK: click.style("ok     ", fg="green"),
            Verdict.WARNING: click.style("warning", fg="yellow"),
        }
        styled = mark.get(finding.verdict, click.style("WRONG  ", fg="red"))
        click.echo(f"{styled} {printable(f'{finding.subject}: {finding.text}')}")
        if finding.remedy:
            say(f"        -> {finding.remedy}")
        worst |= finding.verdict is Verdict.WRONG
    sys.exit(int(worst))


@main.command()
@click.argument("camera")
@click.option("--label", help="Name of the place for people; the camera's own label unless given.")
@click.option("--device-params", help="user:password@ip:port that overrides the camera's configured address.")
@click.pass_obj
@exit_on_failure
def trigger(config_file: Path | None, camera: str, label: str | None, device_params: str | None) -> None:
    """Send a trigger for CAMERA (its device key), as a sensor does: over RabbitMQ, or by HTTP without a broker."""
    settings = _loaded(config_file)
    labels = {c.device_key: c.label or c.location for c in settings.cameras}
    if not settings.rabbitmq.server_address:
        click.echo(_post_trigger(settings, camera))
        return
    with _client(settings) as client:
        params = Secret(device_params) if device_params else None
        message_id = client.trigger(camera, label or labels.get(camera, camera), device_params=params)
    click.echo(f"sent, message id {message_id}")


@main.command()
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), help="Save the pictures in this folder.")
@click.option("--count", type=int, help="End after this many events.")
@click.option("--timeout", type=float, help="End with an error after this many seconds without an event.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
@click.pass_obj
@exit_on_failure
def watch(config_file: Path | None, save: Path | None, count: int | None, timeout: float | None, as_json: bool) -> None:
    """Print events as they come, as a consumer sees them."""
    from app.cli.watch import EventPrinter

    settings = _loaded(config_file)
    if not settings.rabbitmq.server_address:
        raise click.UsageError("watch listens on RabbitMQ: set RABBITMQ_SERVER_ADDRESS")
    seen = EventPrinter(save=save, as_json=as_json, echo=say)
    with _client(settings) as client:
        client.listen()
        click.echo("listening, Ctrl-C ends it", err=True)
        try:
            for event in client.events(quiet_after=timeout):
                seen.show(event)
                if count is not None and seen.count >= count:
                    return
        except KeyboardInterrupt:
            return
    raise click.ClickException(f"no event within {timeout} s")


@main.command()
@click.pass_obj
@exit_on_failure
def health(config_file: Path | None) -> None:
    """Ask the running service whether it is alive (the container's health check)."""
    # Asked every half minute: no vault is opened for it.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OP_")}
    settings = configuration.load(config_file, environ)
    service = ApiClient(settings.web, settings.data_dir)
    status, report = service.get("/health/live", timeout=4)
    with suppress(ServiceAway):  # a hanging disk or broker is no reason for a restart
        report = service.get("/health/ready", timeout=4)[1]
    for probe in report.get("checks", ()):
        say(f"{'ok   ' if probe['ok'] else 'WRONG'} {probe['name']}: {probe['detail']}")
    sys.exit(0 if status == 200 else 1)


@main.command()
def schema() -> None:
    """Print the JSON schema of config.yml, for editors."""
    click.echo(json.dumps(configuration.json_schema(), indent=2))


@main.command("settings")
def print_settings() -> None:
    """Print every setting as Markdown: its names, what it does, its default and its limits."""
    from app.config.reference import reference

    click.echo(reference(), nl=False)


for command in (
    archive,
    backup,
    bans,
    clean,
    dead_letters,
    drive_login,
    film,
    iam,
    mode,
    notify,
    replay,
    restore,
    running_film,
    snooze,
    token,
):
    main.add_command(command)


def _loaded(config_file: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    settings = configuration.load(config_file, environ)
    for name, value in settings.aws_environment.items():
        os.environ.setdefault(name, value.get_secret_value())  # boto3 looks nowhere else
    return settings


def _prepared(
    config_file: Path | None, environ: Mapping[str, str] | None = None, *, log_level: str | None = None
) -> Settings:
    """Settings of a long-running command, with everything around them set up."""
    _share_heaps()
    settings = _loaded(config_file, environ)
    logs.configure(
        level=log_level or settings.log.level,
        format=settings.log.format,
        syslog=settings.log.syslog,
        program=settings.app_name,
    )
    faulthandler.enable()
    allow_many_files()
    sentry.start(
        settings.sentry_dsn.get_secret_value(),
        release=VERSION,
        environment=settings.app_name,
        server_name=settings.device_name,
    )
    for warning in settings.warnings:
        structlog.get_logger(__name__).warning("configuration", hint=warning)
    return settings


def _share_heaps() -> None:
    """Else glibc has a heap for each of up to eight threads a core, and each keeps what its pictures took."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _end(status: int) -> None:
    logs.flush()
    sentry.flush(SENTRY_FLUSH_S)
    sys.stdout.flush()
    sys.stderr.flush()
    # A worker that hangs in a camera's answer must not hold the process; everything is recorded.
    os._exit(status)


def _client(settings: Settings) -> Any:
    from app.cli.amqp_client import AmqpClient

    return AmqpClient(settings.rabbitmq.broker, settings.rabbitmq)


def _post_trigger(settings: Settings, camera: str) -> str:
    service = ApiClient(settings.web, settings.data_dir)
    answer = service.post(f"/api/cameras/{quote(camera, safe='')}/trigger?wait=30", timeout=40)
    return json.dumps(answer, indent=2)
