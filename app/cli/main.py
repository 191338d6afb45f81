"""The command line: run the service, check it, send it a trigger, watch its events."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path

import click
import structlog

from app.cli.anew import begin_anew, trying
from app.cli.commands import Commands
from app.cli.failures import exit_on_failure
from app.cli.loading import loaded
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.config.settings import Settings
from pylib.net.limiter import allow_many_files
from pylib.observability import logs, sentry
from pylib.runtime import heap

VERSION = version_of("snapshot-processor")
SENTRY_FLUSH_S = 2.0
SETTLED_S = 10.0
"""Seconds after a start in which brokers and others are connected, else something is wrong."""
RESTART_GRACE_S = 0.8
"""Seconds for the orderly end before a new beginning. What is not done by then is in the journal, and is resumed."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
    """Print what all codes of failures mean and what to do about them, as Markdown.

    \b
    Example:
      snapshot-processor codes
    """
    from app import wording

    click.echo(wording.table(), nl=False)


@main.command()
@click.pass_obj
@exit_on_failure
def run(config_file: Path | None) -> None:
    """Run the service until it is stopped.

    \b
    Example:
      snapshot-processor run
    """
    from app.bootstrap import next_steps
    from app.bootstrap.service import Service

    environ = dict(os.environ)  # before anything is added for libraries
    with trying(config_file, environ):
        settings = _prepared(config_file)
        service = Service(settings, version=VERSION)
        service.open()
    next_steps.tell(settings)
    _later(SETTLED_S, lambda: next_steps.tell_failing(service.core.health))
    restart, supervisor = service.core.restart, service.supervisor
    restart.allow(partial(supervisor.request_stop, grace=RESTART_GRACE_S))
    gc.enable()  # which `app.__main__` put off
    status = service.run()
    if restart.wanted and status == 0 and not supervisor.signalled:
        begin_anew(environ)
    _end(status)


@main.command()
@click.argument("what", type=click.Choice(["cameras", "thumbnails", "booth"]), default="cameras")
@click.option("--every", default=5.0, show_default=True, help="Seconds between the pictures of a camera.")
@click.pass_obj
@exit_on_failure
def demo(config_file: Path | None, what: str, every: float) -> None:
    """Run the whole service on drawn cameras; needs no account, broker or camera.

    `thumbnails`: on a folder instead, whose pictures go to a bucket, as examples/thumbnails has it. `booth`:
    with the photo booth, whose pictures a drawn camera takes.

    \b
    Example:
      snapshot-processor demo
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
    """Run only the FTP server; uploads wait in their folders for a service that runs now or later.

    \b
    Example:
      snapshot-processor ftp
    """
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
def schema() -> None:
    """Print the JSON schema of config.yml, for editors.

    \b
    Example:
      snapshot-processor schema
    """
    click.echo(json.dumps(configuration.json_schema(), indent=2))


@main.command("settings")
def print_settings() -> None:
    """Print every setting as Markdown: its names, what it does, its default and its limits.

    \b
    Example:
      snapshot-processor settings
    """
    from app.config.reference import reference

    click.echo(reference(), nl=False)


@main.command("commands")
def print_commands() -> None:
    """Print every command as Markdown: what it does, its options, an example.

    \b
    Example:
      snapshot-processor commands
    """
    from app.cli.reference import reference

    click.echo(reference(main), nl=False)


def _prepared(
    config_file: Path | None, environ: Mapping[str, str] | None = None, *, log_level: str | None = None
) -> Settings:
    """Settings of a long-running command, with everything around them set up."""
    heap.share()
    settings = loaded(config_file, environ)
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


def _later(seconds: float, act: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def _end(status: int) -> None:
    logs.flush()
    sentry.flush(SENTRY_FLUSH_S)
    sys.stdout.flush()
    sys.stderr.flush()
    # A worker that hangs in a camera's answer must not hold the process; everything is recorded.
    os._exit(status)
