"""The checks of `snapshot-processor check`: one line each, with what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.check import brokers, machine, objects, outlets, pictures, replicas
from app.cli.check.finding import Finding as Finding
from app.cli.check.finding import Verdict as Verdict
from app.config.data_dir import DataDir
from app.config.settings import Settings


def check(settings: Settings) -> Iterator[Finding]:
    """Check everything that the settings configure; findings come as they are made."""
    yield from machine.configuration(settings)
    yield from machine.secrets(settings)
    yield machine.disk(settings.data_dir)
    yield from machine.privacy(settings.data_dir)
    yield from machine.pictures(DataDir(settings.data_dir))
    yield machine.clock(settings)
    yield from machine.films(settings)
    yield brokers.rabbitmq(settings)
    yield from replicas.replicas(settings)
    yield from brokers.mqtt(settings)
    yield from objects.sources(settings)
    yield from objects.upload_form(settings)
    yield from objects.running_films(settings)
    yield from pictures.cameras(settings)
    yield from pictures.uploads(settings)
    yield from pictures.detectors(settings)
    yield from pictures.describe(settings)
    yield from outlets.publishers(settings)
    yield from outlets.rules(settings)
    yield from outlets.archives(settings)
    yield from outlets.shared_index(settings)
    yield from outlets.album(settings)
