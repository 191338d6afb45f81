"""The commands of running films, for when the service is stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.cli.archive import stopped
from app.cli.failures import exit_on_failure
from app.cli.terminal import say


@click.group("running-film")
def running_film() -> None:
    """Import pictures into a film that grows."""


@running_film.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--film", "name", required=True, help="Name of the film, as in `running_films`.")
@click.pass_obj
@exit_on_failure
def import_pictures(config_file: Path | None, folder: Path, name: str) -> None:
    """Add the pictures below FOLDER, years of them, to a running film; the files stay as they are.

    \b
    Example:
      snapshot-processor running-film import ./old-pictures --film garden
    """
    from app.bootstrap.running_films import plan_of
    from app.films.pictures import FolderPictures
    from app.films.running import RunningFilm

    with stopped(config_file) as (settings, journal):
        film = next((one for one in settings.running_films if one.name == name), None)
        if film is None:
            known = ", ".join(repr(one.name) for one in settings.running_films) or "none"
            raise click.BadParameter(f"there is no running film {name!r}; configured: {known}", param_hint="--film")
        plan = plan_of(film, settings)
        source = FolderPictures(folder, known=journal.known_versions, zone=plan.zone, max_pixels=settings.max_pixels)
        running = RunningFilm(plan, source, journal=journal)
        found = running.take_in()
        try:
            standing = running.bring_up(_show)
        finally:
            sys.stderr.write("\r" + " " * 20 + "\r")
        left_out = [*journal.film_pictures(name, state="undated"), *journal.film_pictures(name, state="broken")]
    for one in left_out:
        say(f"{one.name}: {one.problem}", err=True)
    say(f"{found} new, {standing.shown} in the film, {len(left_out)} left out: {plan.path}")


def _show(progress: float) -> None:
    sys.stderr.write(f"\r{progress:4.0%} of the film")
    sys.stderr.flush()
