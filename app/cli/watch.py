"""`snapshot-processor watch`: events as they come, a line each for people or for programs, and the pictures on disk."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from app.cli import stream
from app.cli.api_client import ApiClient
from app.cli.event_lines import seen
from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import json_line, say, size_text
from app.config.settings import Settings
from app.media.formats import SUFFIXES, format_of
from app.naming import slug

PICTURE_S = 30.0
"""Seconds for a picture."""


@click.command()
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), help="Save the pictures in this folder.")
@click.option("--count", type=click.IntRange(1), help="End after this many events.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    help="End with an error after this many seconds without an event.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
@click.pass_obj
@exit_on_failure
def watch(config_file: Path | None, save: Path | None, count: int | None, timeout: float | None, as_json: bool) -> None:
    """Print events as they come: over RabbitMQ, as a consumer sees them, or from the album where there is no broker.

    \b
    Example:
      snapshot-processor watch --save ./pictures
    """
    settings = looking(config_file)
    seen = EventPrinter(save=save, as_json=as_json, echo=click.echo if as_json else say)
    source = _from_broker if settings.rabbitmq.server_address else _from_album
    try:
        with closing(source(settings, timeout, fetch=save is not None)) as found:
            for event in found:
                seen.show(event)
                if count is not None and seen.count >= count:
                    return
    except KeyboardInterrupt:
        return
    raise click.ClickException(f"no event within {timeout:g} s")


def _from_broker(
    settings: Settings,
    timeout: float | None,
    *,
    fetch: bool,  # noqa: ARG001 - the broker's events bring it
) -> Generator[dict[str, Any], None, None]:
    from app.cli.amqp_client import AmqpClient

    with AmqpClient(settings.rabbitmq.broker, settings.rabbitmq) as client:
        client.listen()
        say("listening, Ctrl-C ends it", err=True)
        yield from client.events(quiet_after=timeout)


def _from_album(settings: Settings, timeout: float | None, *, fetch: bool) -> Generator[dict[str, Any], None, None]:
    """In the form of those over RabbitMQ, but without the picture unless it is to be fetched."""
    service = ApiClient(settings.web, settings.data_dir)
    for entry in stream.events(service, {}, quiet_after=timeout, told=lambda text: say(text, err=True)):
        if fetch and entry["size"]:
            entry["image"] = service.read(f"/api/snapshots/{entry['event_id']}/image", timeout=PICTURE_S)
        yield {"timestamp": entry["timestamp"], "inputs": [entry]}


class EventPrinter:
    """Shows events one by one, and counts them."""

    def __init__(self, *, save: Path | None, as_json: bool, echo: Callable[[str], object]) -> None:
        self._save = save
        self._as_json = as_json
        self._echo = echo
        self.count = 0

    def show(self, event: dict[str, Any]) -> None:
        """One event: one line for each of its inputs."""
        self.count += 1
        for entry in event["inputs"]:
            image = entry.pop("image", b"") or b""
            kept = self._keep(entry, image) if image and self._save else None
            self._echo(self._line(event, entry, len(image) or entry.get("size", 0), kept))

    def _line(self, event: dict[str, Any], entry: dict[str, Any], size: int, kept: Path | None) -> str:
        if self._as_json:
            more = {"image_bytes": size, **({"saved": str(kept)} if kept else {})}
            return json_line({**event, "inputs": [{**entry, **more}]})
        words = [
            f"{datetime.now().astimezone():%H:%M:%S}",
            str(entry.get("device_label", "?")),
            seen(entry) or str(entry.get("problem") or entry.get("decision") or ""),
            size_text(size),
            str(kept or entry.get("storage_path", "")),
        ]
        return "  ".join(word for word in words if word)

    def _keep(self, entry: dict[str, Any], image: bytes) -> Path | None:
        assert self._save is not None  # noqa: S101 - asked for
        self._save.mkdir(parents=True, exist_ok=True)
        parts = (str(entry.get(key, "")) for key in ("image_timestamp", "device_key", "event_id"))
        path = self._save / f"{slug('-'.join(parts))}{SUFFIXES.get(format_of(image), '.bin')}"
        path.write_bytes(image)
        return path
