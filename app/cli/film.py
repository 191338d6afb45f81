"""The command that makes a film of the album's pictures, whether the service runs or not."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click

from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.telling import Duration
from app.cli.terminal import say
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.config.settings import Settings
from pylib.settings.draft import ConfigError
from pylib.timezones import local_zone

DAYS_AGO = {"today": 0, "yesterday": 1}


class Moment(click.ParamType[datetime]):
    """A duration before now, or a day or moment at home: `7d`, `yesterday`, `2026-11-21`, `2026-11-21T14:00`."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        if (ago := DAYS_AGO.get(value.strip().lower())) is not None:
            return datetime.combine(_today(ctx) - timedelta(days=ago), time())
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
        try:
            duration: timedelta = Duration().convert(value, param, ctx)
        except click.BadParameter:
            examples = "a duration such as 12h or 7d, a day such as 2026-11-21, today or yesterday"
            self.fail(f"{value!r} is no moment: {examples}", param, ctx)
        return datetime.now(UTC) - duration


def _today(ctx: click.Context | None) -> date:
    """The day at home; a configuration that cannot be read is said by the command that needs it."""
    try:
        zone = local_zone(configuration.load(ctx.obj if ctx else None).time_zone)
    except ConfigError:
        zone = local_zone("")
    return datetime.now(zone).date()


@click.command()
@click.option(
    "--camera", "cameras", multiple=True, help="Name of a camera; several times for several, all unless given."
)
@click.option("--since", type=Moment(), help="From when on: 12h, 7d, or a day such as 2026-11-21.")
@click.option("--until", type=Moment(), help="Until when.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The film: an MP4 file.")
@click.option(
    "--filter",
    "chosen",
    type=click.Choice(["all", "hourly", "persons", "daylight"]),
    default="all",
    show_default=True,
    help="Which pictures.",
)
@click.option(
    "--every", type=click.FloatRange(0), default=0.0, help="Seconds between two pictures of a camera, at least."
)
@click.option("--starred", is_flag=True, help="Only pictures with a star.")
@click.option("--fps", type=click.IntRange(1, 60), default=12, show_default=True, help="Pictures a second.")
@click.option(
    "--width", type=click.IntRange(0, 3840), default=0, help="Pixels across; as the first picture unless given."
)
@click.option(
    "--stamp",
    type=click.Choice(["none", "top-left", "top-right", "bottom-left", "bottom-right"]),
    default="bottom-right",
    show_default=True,
    help="Corner for date and time.",
)
@click.option("--stamp-format", default="%Y-%m-%d %H:%M", show_default=True, help="As strftime has it.")
@click.option("--language", type=click.Choice(["en", "de", "es", "fr"]), default="en", help="Of months and days.")
@click.option("--font", default="", help="A font file for date and time.")
@click.option("--progress-bar", is_flag=True, help="A bar at the bottom that fills while the film plays.")
@click.option("--deflicker", type=click.IntRange(0, 500), default=0, help="Even brightness over so many pictures.")
@click.option("--mark-gaps", is_flag=True, help="A grey picture says from when to when there is none.")
@click.pass_obj
@exit_on_failure
def film(
    config_file: Path | None,
    cameras: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    out: Path,
    chosen: str,
    stamp: str,
    stamp_format: str,
    language: str,
    font: str,
    mark_gaps: bool,
    **others: Any,
) -> None:
    """Make a film of the pictures in the album; the service may run or not.

    \b
    Example:
      snapshot-processor film --camera "Front Door" --since 7d --filter daylight --out week.mp4
    """
    from functools import partial

    from pydantic import ValidationError

    from app.bootstrap.films import maker_of
    from app.films.maker import forget_parts
    from app.films.recipe import Recipe
    from app.films.selection import Wanted
    from app.journal.album import recorded_entries
    from app.journal.entries import Filter

    settings = looking(config_file)
    look = {"position": stamp, "format": stamp_format, "language": language, "font": font}
    try:
        recipe = Recipe.model_validate(
            {
                "cameras": device_keys(settings, cameras),
                "filter": chosen,
                "stamp": look,
                "gaps": "mark" if mark_gaps else "skip",
                **others,
            }
        )
    except ValidationError as error:
        raise click.UsageError("; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())) from None
    zone = local_zone(settings.time_zone)
    span = (moment if moment is None or moment.tzinfo else moment.replace(tzinfo=zone) for moment in (since, until))
    first, last = span
    # Pictures that come while it is made would move the end.
    wanted = Wanted(recipe, Filter(since=first, until=last or datetime.now(UTC)))
    maker = maker_of(settings, partial(recorded_entries, DataDir(settings.data_dir).journal))
    path = out.absolute()
    try:
        made = maker.make(wanted, path, keep=lambda _, progress: _show(progress))
    finally:
        forget_parts(path)
        _end_of_line()
    size = f"{made.film.size / 1e6:.1f} MB" if made.film.size >= 1e6 else f"{made.film.size / 1e3:.0f} kB"
    say(f"{out}: {made.film.frames} frames, {made.film.duration_s:.1f} s, {size}")
    for note in made.notes():
        say(note)


def device_keys(settings: Settings, names: tuple[str, ...]) -> list[str]:
    """As the journal knows them, those that are no longer configured too. Raises `app.naming.UnknownCamera`."""
    from app.journal.album import recorded_cameras
    from app.naming import CameraNames

    keys = [camera.device_key for camera in settings.cameras]
    known = CameraNames(dict.fromkeys([*keys, *recorded_cameras(DataDir(settings.data_dir).journal)]))
    return [known.find(name) for name in names]


def _show(progress: float) -> None:
    sys.stderr.write(f"\r{progress:4.0%} of the film")
    sys.stderr.flush()


def _end_of_line() -> None:
    sys.stderr.write("\r" + " " * 20 + "\r")
    sys.stderr.flush()
