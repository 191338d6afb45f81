"""The command that shows what happened lately, and what happens now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from app.cli import stream
from app.cli.api_client import ApiClient
from app.cli.event_lines import event_line, moment, what
from app.cli.failures import exit_on_failure
from app.cli.film import Moment
from app.cli.loading import looking
from app.cli.terminal import json_line, say, table
from pylib.timezones import local_zone

PAGE = 200
"""As many as the API gives at once."""


@click.command()
@click.option("--camera", default="", help="Name of a camera; all unless given.")
@click.option("--since", type=Moment(), help="From when on: 12h, 7d, or a day such as 2026-11-21.")
@click.option("--until", type=Moment(), help="Until when.")
@click.option("--label", default="", help="Only with this in the picture, such as Dog.")
@click.option("--person/--no-person", default=None, help="Only with a person, or only without.")
@click.option("--problem/--no-problem", default=None, help="Only what went wrong, or only what went well.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@click.option("--follow", is_flag=True, help="Go on with new ones, as they come.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
@click.pass_obj
@exit_on_failure
def events(config_file: Path | None, *, limit: int, follow: bool, as_json: bool, **chosen: Any) -> None:
    """Show the latest events of the running service, the newest last.

    \b
    Example:
      snapshot-processor events --camera "Front Door" --since 12h --person
    """
    settings = looking(config_file)
    client, zone = ApiClient(settings.web, settings.data_dir), local_zone(settings.time_zone)
    query = dict(_query(chosen))
    found = [*_latest(client, query, limit)][::-1]
    if as_json:
        for event in found:
            click.echo(json_line(event))
    elif follow:
        for event in found:
            say(event_line(event, zone=zone))
    else:
        rows = [(moment(event, zone), event["device_label"], what(event), event["event_id"]) for event in found]
        table(("taken", "camera", "what", "id"), rows, whole=("taken", "id"))
        if not found:
            say("no event", err=True)
    if follow:
        _follow(client, query, zone, after=found[-1]["event_id"] if found else "", as_json=as_json)


def _follow(client: ApiClient, query: Mapping[str, str], zone: tzinfo, *, after: str, as_json: bool) -> None:
    try:
        for event in stream.events(client, query, after=after, told=lambda text: say(text, err=True)):
            if as_json:
                click.echo(json_line(event))
            else:
                say(event_line(event, zone=zone))
    except KeyboardInterrupt:
        return


def _query(chosen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """As parameters of the API, those that are given."""
    for name, value in chosen.items():
        if isinstance(value, datetime):
            yield name, value.isoformat()
        elif isinstance(value, bool):
            yield name, json.dumps(value)
        elif value:
            yield name, value


def _latest(client: ApiClient, query: Mapping[str, str], limit: int) -> Iterator[dict[str, Any]]:
    """The newest first. Raises `app.cli.api_client.ServiceAway`, `app.cli.api_client.ServiceRefused`."""
    before = ""
    while limit > 0:
        asked = {**query, "limit": min(limit, PAGE), **({"before": before} if before else {})}
        page = client.get_well(f"/api/snapshots?{urlencode(asked)}", timeout=30)
        yield from page["snapshots"]
        limit -= len(page["snapshots"])
        before = page["next"]
        if not before:
            return
