"""The command that has a camera take a picture."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from app import wire
from app.cli.api_client import ApiClient
from app.cli.event_lines import event_line
from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import json_option, say, show_json
from app.config.settings import Settings
from pylib.errors import Transient
from pylib.settings.credentials import Secret
from pylib.timezones import local_zone

PATIENCE_S = 10.0
"""Beyond the wait, for the answer itself."""


@click.command()
@click.argument("camera")
@click.option("--label", help="Name of the place for people; the camera's own label unless given.")
@click.option("--device-params", help="user:password@ip:port that overrides the camera's configured address.")
@click.option(
    "--wait",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, 120),
    help="Seconds to wait for the picture; 0 for none.",
)
@json_option
@click.pass_obj
@exit_on_failure
def trigger(
    config_file: Path | None, camera: str, *, label: str | None, device_params: str | None, wait: float, as_json: bool
) -> None:
    """Have CAMERA take a picture, and say what became of it; ends with status 1 where there is none.

    It is told as a sensor does: over RabbitMQ, or by HTTP without a broker.

    \b
    Example:
      snapshot-processor trigger "Front Door Camera"
    """
    settings = looking(config_file)
    if settings.rabbitmq.server_address:
        event = _by_broker(settings, camera, label, device_params, wait)
    elif label or device_params:
        raise click.UsageError("--label and --device-params go over RabbitMQ only: set RABBITMQ_SERVER_ADDRESS")
    else:
        event = _by_http(settings, camera, wait)
    if as_json:
        show_json(event)
    elif "device_key" in event:
        say(event_line(event, zone=local_zone(settings.time_zone)))
    elif wait:
        say(f"nothing came of it within {wait:g} s (event {event['event_id']})", err=True)
    else:
        say(f"sent: event {event['event_id']}")
    if wait and not event.get("size"):
        sys.exit(1)


def _by_http(settings: Settings, camera: str, wait: float) -> Mapping[str, Any]:
    service = ApiClient(settings.web, settings.data_dir)
    return service.post(f"/api/cameras/{quote(camera, safe='')}/trigger?wait={wait:g}", timeout=wait + PATIENCE_S)


def _by_broker(
    settings: Settings, camera: str, label: str | None, device_params: str | None, wait: float
) -> Mapping[str, Any]:
    """The event, or its id alone when nobody waits. Raises `pylib.errors.Failure`."""
    from app.cli.amqp_client import AmqpClient

    labels = {one.device_key: one.label or one.location for one in settings.cameras}
    params = Secret(device_params) if device_params else None
    with AmqpClient(settings.rabbitmq.broker, settings.rabbitmq) as client:
        if wait:
            client.listen()
        message = client.trigger(camera, label or labels.get(camera, camera), device_params=params)
        event_id = wire.event_id_of(message)
        deadline = time.monotonic() + wait
        for event in client.events(quiet_after=wait) if wait else ():
            for entry in event["inputs"]:
                if entry.get("event_id") == event_id:
                    size = len(entry.pop("image", None) or b"")
                    return {**entry, "size": size}
            if time.monotonic() > deadline:
                break
    if wait:
        raise Transient("no_event", f"nothing came of it within {wait:g} s; is its service running? (event {event_id})")
    return {"event_id": event_id}
