"""The commands for who is told: try rules on what was kept, switch the mode, snooze."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from app.cli.api_client import ApiClient
from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import json_option, say, show_json, table
from app.config.data_dir import DataDir
from app.messages import Inspection, OutletDecision
from app.naming import slug
from app.rules.telling import MODES
from pylib.timezones import local_zone

MOST_EVENTS = 20_000
"""As many of the newest events are replayed."""

_DURATION = re.compile(r"([1-9]\d{0,5}) *([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[timedelta]):
    """A number with s, m, h or d behind it: `90s`, `7d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        found = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
        if found is None:
            self.fail(f"{value!r} is no duration such as 30m, 12h or 7d", param, ctx)
        return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


@click.command()
@click.option("--since", type=Duration(), default="7d", show_default=True, help="How far back.")
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Changed rules; rules.yml of the data folder unless given.",
)
@click.option(
    "--mode", type=click.Choice(MODES), default=MODES[0], show_default=True, help="The home's mode all along."
)
@click.option("--all", "everything", is_flag=True, help="Also the events for which nothing changes.")
@json_option
@click.pass_obj
@exit_on_failure
def replay(
    config_file: Path | None, since: timedelta, rules_file: Path | None, mode: str, everything: bool, as_json: bool
) -> None:
    """Run the events that were kept through rules, and show what is told now and was not, or no longer.

    \b
    Example:
      snapshot-processor replay --since 7d --rules ./rules.yml
    """
    from app.bootstrap.deciding import outlets_of
    from app.journal.album import recorded_inspections
    from app.rules.file import read_rules
    from app.rules.replay import messages
    from app.rules.replay import replay as replayed

    settings = looking(config_file)
    data = DataDir(settings.data_dir)
    outlets = outlets_of(settings)
    cameras = [camera.device_key for camera in settings.cameras]
    book = read_rules(rules_file or data.rules, cameras=cameras, outlets=outlets.notifying)
    kept = recorded_inspections(data.journal, since=datetime.now(UTC) - since, limit=MOST_EVENTS)
    zone = local_zone(settings.time_zone)
    rows: list[tuple[str, ...]] = []
    before: list[list[OutletDecision]] = []
    after: list[list[OutletDecision]] = []
    for inspection, decisions in replayed(kept, book, outlets, zone=zone, mode=mode):
        now = [decision for decision in decisions if decision.outlet in outlets.notifying]
        then = [_told(inspection, decision.outlet) for decision in now]
        before.append(then)
        after.append(now)
        for was, decision in zip(then, now, strict=True):
            if everything or was.tell != decision.tell:
                at = inspection.snapshot.taken_at.astimezone(zone)
                rows.append((f"{at:%Y-%m-%d %H:%M}", inspection.camera, decision.outlet, was.text, decision.text))
    if not outlets.notifying:
        say("nothing tells people: configure one in `publishers`", err=True)
    if as_json:
        show_json([dict(zip(("taken", "camera", "outlet", "then", "now"), row, strict=True)) for row in rows])
    else:
        table(("taken", "camera", "outlet", "then", "by these rules"), rows)
    counts = f"{messages(before, outlets)} messages then, {messages(after, outlets)} by these rules"
    say(f"{len(after)} events, {counts}", err=True)


@click.command()
@click.argument("mode", type=click.Choice(MODES), required=False)
@json_option
@click.pass_obj
@exit_on_failure
def mode(config_file: Path | None, mode: str | None, as_json: bool) -> None:
    """Print the mode of the home, or switch to MODE.

    \b
    Example:
      snapshot-processor mode away
    """
    client = _client(config_file)
    if mode:
        client.put("/api/mode", {"mode": mode}, timeout=10)
    found = client.get_well("/api/mode", timeout=10)
    if as_json:
        show_json(found)
    else:
        say(found["mode"])


@click.command()
@click.argument("camera", required=False)
@click.option("--for", "duration", type=Duration(), help="How long; until --end unless given.")
@click.option("--end", is_flag=True, help="Messages again.")
@click.pass_obj
@exit_on_failure
def snooze(config_file: Path | None, camera: str | None, duration: timedelta | None, end: bool) -> None:
    """Hold back the messages of CAMERA, or of all cameras.

    \b
    Example:
      snapshot-processor snooze "Front Door" --for 2h
    """
    path = f"/api/snoozes/{quote(slug(camera)) if camera else 'all'}"
    client = _client(config_file)
    if end:
        client.delete(path, timeout=10)
        say("messages again")
        return
    answer = client.put(path, {"seconds": duration.total_seconds() if duration else None}, timeout=10)
    say(f"no messages until {answer['until']}" if answer["until"] else "no messages until --end")


def _client(config_file: Path | None) -> ApiClient:
    settings = looking(config_file)
    return ApiClient(settings.web, settings.data_dir)


def _told(inspection: Inspection, outlet: str) -> OutletDecision:
    """What was decided then; what no rule had a say in was told."""
    none = OutletDecision(outlet, tell=True, reason="there was no rule")
    return next((one for one in inspection.decisions if one.outlet == outlet), none)
