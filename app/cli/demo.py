"""`snapshot-processor demo`: the whole service on drawn cameras, with every event printed as it comes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import datetime

import click
import structlog

from app.bootstrap.core import Core
from app.bootstrap.films import films_of
from app.bootstrap.service import Service
from app.cameras.demo import Demo
from app.cli.amqp_client import AmqpClient
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.films.recipe import Recipe
from app.films.selection import Wanted
from app.journal.entries import Filter
from app.messages import Inspection
from app.rules.burst import BurstSettings
from pylib.runtime.periodic import Every, Periodic
from pylib.timezones import local_zone

log = structlog.get_logger(__name__)

LOCATIONS = ("Front Door", "Garden", "Driveway")
BURST = BurstSettings(frames=4, pace=0.8, look="person")
"""Somebody who walks past takes some steps in it, and is found in the first one."""
FILM_AFTER_S = 60.0
FILM = Recipe(cameras=(f"{LOCATIONS[0]} Camera",), fps=4, progress_bar=True)
"""Slow: a minute is few pictures."""


def demo_settings(settings: Settings, *, every: float) -> Settings:
    """The same settings with drawn cameras, embedded defaults and a free port."""
    kept_apart = DataDir(settings.data_dir).demo
    cameras = tuple(
        # With a broker the triggers come through it, and not from our own schedule.
        Demo.Settings(location=location, every=0 if settings.rabbitmq.server_address else every, burst=BURST)
        for location in LOCATIONS
    )
    port = settings.web.port if is_free(settings.web.host, settings.web.port) else free_port(settings.web.host)
    web = settings.web.model_copy(update={"port": port})
    folder = settings.archive.model_copy(update={"dir": settings.archive.dir or kept_apart / "archive"})
    changed = {"cameras": cameras, "data_dir": kept_apart, "web": web, "archive": folder}
    return settings.model_copy(update=changed)


class Show:
    """Prints events."""

    def __init__(self, settings: Settings, *, echo: Callable[[str], object] = click.echo) -> None:
        self._zone = local_zone(settings.time_zone)
        self._echo = echo

    def introduce(self, settings: Settings) -> None:
        """Print what runs, and what one can do with it."""
        via = settings.rabbitmq.server_address
        self._echo(f"Three drawn cameras, detector {settings.detector.kind}, data in {settings.data_dir}")
        self._echo(f"Triggers come by timer, through {'RabbitMQ at ' + via if via else 'no broker'}.")
        if settings.web.enabled:
            url = settings.web.own_url
            self._echo(f"\nThe album:  {url}/")
            self._echo(f"Films, after a minute:  {url}/films\n")
            if settings.booth.enabled:
                self._echo(f"The photo booth:  {url}/booth\n")
            self._echo(f'A trigger of your own:  curl -X POST "{url}/api/cameras/front-door/trigger?wait=5"')
        where = f"DATA_DIR={settings.data_dir} WEB_PORT={settings.web.port}"
        self._echo(f"Commands find it:  {where} snapshot-processor events")
        self._echo("Ctrl-C ends it.\n")

    def event(self, inspection: Inspection) -> None:
        """One line: when, where, and how many persons."""
        snapshot = inspection.snapshot
        when = f"{snapshot.taken_at.astimezone(self._zone):%H:%M:%S}"
        self._echo(f"{when}  {snapshot.label:<12} {_seen(inspection)}")


class FilmOfTheDay:
    """Has a film made of the demo's day, once, when there is something to see."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._zone = local_zone(settings.time_zone)
        self._clock = clock
        self._due: float | None = clock() + FILM_AFTER_S

    def tick(self, core: Core) -> None:
        """Order it when it is due; without the library for films, the log says what to install."""
        if self._due is None or self._clock() < self._due:
            return
        self._due = None
        today = datetime.now(self._zone)
        since = today.replace(hour=0, minute=0, second=0, microsecond=0)
        films_of(core).order(f"{LOCATIONS[0]}, {today:%d %B}", Wanted(FILM, Filter(since=since)))


def with_booth(settings: Settings) -> Settings:
    """The same with a photo booth, whose pictures the first drawn camera takes."""
    shown = {"enabled": True, "event": settings.booth.event or "Demo", "gallery": True}
    camera = settings.cameras[0].device_key
    return settings.model_copy(update={"booth": settings.booth.model_copy(update={**shown, "camera": camera})})


def run_demo(settings: Settings, *, version: str, every: float, booth: bool = False) -> int:
    """Run until Ctrl-C; returns the exit status."""
    settings = demo_settings(settings, every=every)
    settings = with_booth(settings) if booth else settings
    film = FilmOfTheDay(settings)
    threads = [*_timer(settings, every), Periodic("demo film", lambda: film.tick(service.core), Every(5.0))]
    service = Service(settings, version=version, extra=threads)
    service.open()
    show = Show(settings)
    show.introduce(settings)
    service.core.live.listen(show.event)
    return service.run()


def _timer(settings: Settings, every: float) -> list[Periodic]:
    """With a broker: a thread that sends triggers as a sensor would."""
    if not settings.rabbitmq.server_address:
        return []

    def trigger_all() -> None:
        with AmqpClient(settings.rabbitmq.broker, settings.rabbitmq) as client:
            for camera in settings.cameras:
                client.trigger(camera.device_key, camera.location)

    return [Periodic("demo sensor", trigger_all, Every(every))]


def _seen(inspection: Inspection) -> str:
    if inspection.problem:
        return inspection.problem
    persons = inspection.detection.person_count
    return f"{persons} person{'s' if persons > 1 else ''}" if persons else "no person"


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there."""
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False


def free_port(host: str) -> int:
    """A port on which nobody listens."""
    with socket.create_server((host, 0)) as server:
        port: int = server.getsockname()[1]
        return port
