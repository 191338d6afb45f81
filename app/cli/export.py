"""The command that copies pictures out of the album, whether the service runs or not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

import click

from app.cli import export_file
from app.cli.archive_tools import progress
from app.cli.failures import exit_on_failure
from app.cli.film import Moment, device_keys
from app.cli.loading import looking
from app.cli.terminal import counted, say, size_text
from app.config.data_dir import DataDir
from app.journal.album import recorded_entries, recorded_totals
from app.journal.entries import Entry, Filter
from pylib.timezones import local_zone

PAGE = 500
"""Entries in one query to the journal."""


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--camera", default="", help="Name of a camera; all unless given.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Of this day, such as 2026-11-21.")
@click.option("--since", type=Moment(), help="From when on: 12h, 7d, or a day such as 2026-11-21.")
@click.option("--until", type=Moment(), help="Until when.")
@click.option("--label", default="", help="Only with this in the picture, such as Dog.")
@click.option("--person/--no-person", default=None, help="Only with a person, or only without.")
@click.option("--starred", is_flag=True, help="Only pictures with a star.")
@click.option(
    "--table", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True, help="What is known, as."
)
@click.option("--dry-run", is_flag=True, help="Only say how many pictures there are, and their size.")
@click.pass_obj
@exit_on_failure
def export(
    config_file: Path | None,
    out: Path,
    *,
    camera: str,
    day: datetime | None,
    since: datetime | None,
    until: datetime | None,
    label: str,
    person: bool | None,
    starred: bool,
    form: str,
    dry_run: bool,
) -> None:
    """Copy pictures into the folder OUT, or into OUT.zip, with a table of what is known about them.

    The service may run or not. A folder can be exported to again: what is there already is not copied twice.

    \b
    Example:
      snapshot-processor export ./saturday.zip --day 2026-11-21 --camera "Front Door"
    """
    if day and (since or until):
        raise click.UsageError("--day is a span already: leave out --since and --until")
    zipped = out.suffix.lower() == ".zip"
    if zipped and out.exists():
        raise click.UsageError(f"{out} is there already: move it away, or choose another name")
    settings = looking(config_file)
    zone = local_zone(settings.time_zone)
    if day:
        since, until = (datetime.combine(day + timedelta(days=more), time()) for more in (0, 1))
    since, until = (at if at is None or at.tzinfo else at.replace(tzinfo=zone) for at in (since, until))
    journal = DataDir(settings.data_dir).journal
    if not journal.exists():
        where = "start the service once, or name its folder with DATA_DIR"
        raise click.ClickException(f"There is no album in {settings.data_dir} yet: {where}.")
    chosen = Filter(
        camera=device_keys(settings, (camera,))[0] if camera else "",
        since=since,
        until=until,
        label=label,
        person=person,
        starred=starred or None,
    )
    totals = recorded_totals(journal, chosen)
    say(f"{counted(totals.pictures, 'picture')}, {size_text(totals.size)}, of {counted(totals.snapshots, 'event')}")
    if zipped and totals.pictures > export_file.MOST_IN_ZIP:
        most = f"{export_file.MOST_IN_ZIP:,}"
        raise click.UsageError(f"at most {most} go into one ZIP: name a folder instead, or fewer days")
    free = shutil.disk_usage(_existing(out)).free
    if totals.size > free:
        raise click.ClickException(f"that does not fit: {size_text(free)} are free in {_existing(out)}")
    if dry_run or not totals.snapshots:
        return
    with export_file.target_of(out) as target, progress("exporting", totals.snapshots) as advance:
        done = export_file.write(_entries(journal, chosen), target, form=form, zone=zone, advance=advance)
    there = f", {done.there:,} of them there already" if done.there else ""
    say(f"{out}: {counted(done.pictures, 'picture')}, {size_text(done.size)}{there}, and snapshots.{form}")
    if done.missing:
        say(f"{counted(done.missing, 'picture')} no longer in the data folder; archives may have them", err=True)


def _entries(journal: Path, chosen: Filter) -> Iterator[Entry]:
    """All that match, oldest first. Raises `pylib.sqlite.DatabaseUnusable`."""
    after = None
    while found := recorded_entries(journal, chosen, after, PAGE):
        yield from found
        after = found[-1].place


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    path = path.absolute()
    return path if path.is_dir() else _existing(path.parent)
