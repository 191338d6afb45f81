"""The archive commands: the archives' state, cleaning the cache, signing in to Google Drive."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from app.archives import Archive
from app.bootstrap.adapters import make_archives, publisher_names
from app.bootstrap.adjusting import adjustments_by, rules_of
from app.bootstrap.archives import retention_of, video_retention_of
from app.bootstrap.uploads import capture_time_of
from app.cli.api_client import ApiClient
from app.cli.archive_tools import Import, retry_line, status_row, verify
from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import json_option, say, show_json, table
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal import ArchiveStats, Journal
from app.storage.cache import Cache
from app.storage.video_retention import size_of
from pylib.files.lock import FolderInUse, FolderLock
from pylib.timezones import local_zone

NONE = "no archive is configured: set ARCHIVE_DIR, S3_BUCKET or GOOGLE_DRIVE_FOLDER"


@click.group()
def archive() -> None:
    """Show the archives' state, try again, verify, and import pictures."""


@archive.command("status")
@json_option
@click.pass_obj
@exit_on_failure
def archive_status(config_file: Path | None, as_json: bool) -> None:
    """Show what each archive has, and its backlog.

    \b
    Example:
      snapshot-processor archive status
    """
    settings = looking(config_file)
    try:
        with _journal(settings) as journal:
            standings = {one.name: journal.archive_stats(one.name) for one in _archives(settings, journal)}
    except FolderInUse:
        standings = _standings_of(ApiClient(settings.web, settings.data_dir))
    if as_json:
        show_json([{"name": name, **dataclasses.asdict(stats)} for name, stats in standings.items()])
        return
    headers = ("archive", "archived", "waiting", "oldest", "given up", "never queued", "last problem")
    table(headers, [status_row(name, stats) for name, stats in standings.items()])
    if not standings:
        say(NONE, err=True)


@archive.command("retry")
@click.pass_obj
@exit_on_failure
def archive_retry(config_file: Path | None) -> None:
    """Try now what waits, and queue what was given up or never queued; without a running service, at its next start.

    \b
    Example:
      snapshot-processor archive retry
    """
    settings = looking(config_file)
    try:
        with _journal(settings) as journal:
            names = [one.name for one in _archives(settings, journal)]
            taken_up = {name: journal.try_again(name) for name in names}
            lines = [retry_line(name, waiting=journal.backlog(name).count, taken_up=taken_up[name]) for name in names]
    except FolderInUse:
        lines = list(_retried_by(ApiClient(settings.web, settings.data_dir)))
    for line in lines:
        say(line)
    if not lines:
        say(NONE, err=True)


@archive.command("verify")
@click.option("--again", is_flag=True, help="Queue again what is missing or differs.")
@json_option
@click.pass_obj
@exit_on_failure
def archive_verify(config_file: Path | None, again: bool, as_json: bool) -> None:
    """Compare what each archive holds with what it confirmed; ends with status 1 when something is wrong.

    \b
    Example:
      snapshot-processor archive verify --again
    """
    found = []
    with stopped(config_file) as (settings, journal):
        for one in _archives(settings, journal):
            compared = verify(journal, one, again=again)
            one.close()
            found.append((one.name, compared))
            if as_json:
                continue
            say(
                f"{one.name}: {compared.matching} as they should be, {len(compared.missing)} missing, "
                f"{len(compared.differing)} differing, {len(compared.unknown)} not ours"
                + (f", {compared.sent_again} to be sent again" if again else "")
            )
            for event_id in (*compared.missing, *compared.differing):
                say(f"  {event_id}")
    if as_json:
        show_json([{"name": name, **dataclasses.asdict(compared)} for name, compared in found])
    sys.exit(0 if all(compared.well for _, compared in found) else 1)


@archive.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--camera", required=True, help="Device key of the camera whose pictures they are.")
@click.pass_obj
@exit_on_failure
def archive_import(config_file: Path | None, folder: Path, camera: str) -> None:
    """Archive the pictures below FOLDER that another tool left; they become no events, and the files stay.

    \b
    Example:
      snapshot-processor archive import ./old-pictures --camera "Front Door Camera"
    """
    with stopped(config_file) as (settings, journal):
        labels = {one.device_key: one.label or one.location for one in settings.cameras}
        if camera not in labels:
            known = ", ".join(map(repr, labels)) or "none"
            raise click.BadParameter(f"there is no camera {camera!r}; configured: {known}", param_hint="--camera")
        rules = rules_of(settings)
        importer = Import(
            journal=journal,
            cache=Cache(DataDir(settings.data_dir).cache, zone=local_zone(settings.time_zone)),
            capture_time=capture_time_of(settings, max_age_days=36_500),
            archives=[one.name for one in _archives(settings, journal)],
            max_pixels=settings.max_pixels,
            adjustments=adjustments_by(settings, lambda: rules.book),
        )
        imported = importer.import_folder(folder, camera=camera, label=labels[camera])
    for line in imported.refused:
        say(line, err=True)
    say(f"{imported.taken} imported, {imported.known} known before, {len(imported.refused)} no pictures")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only print what would be deleted.")
@click.pass_obj
@exit_on_failure
def clean(config_file: Path | None, dry_run: bool) -> None:
    """Delete pictures in the cache, and videos, that the retention settings do not keep.

    \b
    Example:
      snapshot-processor clean --dry-run
    """
    with stopped(config_file) as (settings, journal):
        names = [one.name for one in _archives(settings, journal)]
        root = DataDir(settings.data_dir).cache
        videos = video_retention_of(settings, journal).clean(dry_run=dry_run)
        to_come = size_of(videos) if dry_run else 0
        retention = retention_of(
            settings, journal, root=root, targets=[*publisher_names(settings), *names], archives=names, to_come=to_come
        )
        cleaned = retention.clean(dry_run=dry_run, sweep=True)
    for path in (*(str(video.path) for video in videos), *cleaned.gone):
        say(path)
    verb = "would go" if dry_run else "gone"
    if videos:
        say(f"{len(videos)} videos ({size_of(videos) / 1e6:.1f} MB) {verb}")
    say(f"{cleaned.pictures} pictures ({cleaned.size / 1e6:.1f} MB) and {cleaned.orphans} stray files {verb}")


@click.command("drive-login")
@click.option("--port", default=0, help="Loopback port for the browser's answer; any free one unless given.")
@click.pass_obj
@exit_on_failure
def drive_login(config_file: Path | None, port: int) -> None:
    """Sign in to Google Drive, also on a machine without a browser, and store the token.

    \b
    Example:
      snapshot-processor drive-login
    """
    from app.archives.google_drive.sign_in import sign_in

    settings = configuration.load(config_file)
    drive = settings.google_drive
    if drive.client_secrets_file is None:
        raise click.UsageError("set GOOGLE_CLIENT_SECRETS_FILE to the OAuth client's JSON file from Google's console")
    token = drive.token_file(settings.data_dir)
    sign_in(drive.client_secrets_file, token, show=click.echo, read_line=sys.stdin.readline, port=port)
    say(f"signed in; the token is in {token}")


@contextmanager
def stopped(config_file: Path | None) -> Iterator[tuple[Settings, Journal]]:
    """The settings and the open journal, for commands that need the service stopped."""
    settings = looking(config_file)
    try:
        with _journal(settings) as journal:
            yield settings, journal
    except FolderInUse as error:
        raise click.ClickException(
            f"{error.detail}: stop the service first (`archive status` and `archive retry` do without)"
        ) from None


@contextmanager
def _journal(settings: Settings) -> Iterator[Journal]:
    """The open journal, which has one writer at a time. Raises `FolderInUse` while the service runs."""
    lock = FolderLock(settings.data_dir)
    lock.acquire()
    journal = Journal(DataDir(settings.data_dir).journal)
    journal.open()
    journal.database.start()
    try:
        yield journal
    finally:
        journal.database.stop()
        journal.database.join(60)
        lock.release()


def _archives(settings: Settings, journal: Journal) -> list[Archive]:
    return make_archives(settings, used=journal.has_delivered)


def _standings_of(service: ApiClient) -> dict[str, ArchiveStats]:
    """The archives' statistics from a running service. Raises `app.cli.api_client.ServiceAway`, `ServiceRefused`."""
    return {
        one["name"]: ArchiveStats(
            done=one["archived"],
            pending=one["waiting"],
            since=datetime.fromisoformat(one["waiting_since"]).timestamp() if one["waiting_since"] else None,
            given_up=one["given_up"],
            without=one["never_asked_for"],
            problem=one["problem"],
        )
        for one in service.get_well("/api/archives", timeout=60)["archives"]
    }


def _retried_by(service: ApiClient) -> Iterator[str]:
    """Raises `app.cli.api_client.ServiceAway`, `ServiceRefused`."""
    for one in service.get_well("/api/archives", timeout=60)["archives"]:
        retried = service.post(f"/api/archives/{one['name']}/retry", timeout=60)
        yield retry_line(one["name"], waiting=retried["waiting"], taken_up=retried["taken_up"])
