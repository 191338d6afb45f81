"""The command that deletes all pictures of a camera or of a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from app.cli.api_client import ApiClient
from app.cli.failures import exit_on_failure
from app.cli.film import Moment
from app.cli.loading import looking
from app.cli.terminal import counted, json_option, say, show_json, size_text

PATIENCE_S = 60.0


@click.command()
@click.option("--camera", default="", help="Name of a camera; all unless given.")
@click.option("--since", type=Moment(), help="From when on: 12h, 7d, or a day such as 2026-11-21.")
@click.option("--until", type=Moment(), help="Until when.")
@click.option("--archives", is_flag=True, help="Also the copies in archives, as far as these can delete.")
@click.option("--yes", is_flag=True, help="Without asking whether it is meant.")
@json_option
@click.pass_obj
@exit_on_failure
def delete(
    config_file: Path | None,
    camera: str,
    since: datetime | None,
    until: datetime | None,
    *,
    archives: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Have the running service delete all pictures of a camera, of a time or of both, once it was said how many.

    \b
    Example:
      snapshot-processor delete --camera "Front Door" --until 2026-01-01 --archives
    """
    if not (camera or since or until):
        raise click.UsageError("say what: --camera, --since, --until")
    if as_json and not yes:
        raise click.UsageError("--json asks nobody: add --yes if it is meant")
    settings = looking(config_file)
    service = ApiClient(settings.web, settings.data_dir)
    given = {"camera": camera, "since": since, "until": until}
    scope = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items() if value
    }
    found = service.get_well(f"/api/deletions/preview?{urlencode(scope)}", timeout=PATIENCE_S)
    if not as_json:
        _describe(found, archives=archives)
    chosen = [one["name"] for one in found["archives"] if archives and one["copies"] and one["can_delete"]]
    if found["count"]:
        if not yes:
            click.confirm("Delete them? This cannot be taken back", abort=True)
        body = {**scope, "count": found["count"], "archives": chosen}
        service.post("/api/deletions", timeout=PATIENCE_S, body=body)
    if as_json:
        show_json({"count": found["count"], "size": found["size"], "archives": chosen})
    elif found["count"]:
        say("they are being deleted; the status page and GET /api/jobs show how far it is")


def _describe(found: Mapping[str, Any], *, archives: bool) -> None:
    say(f"{counted(found['count'], 'picture')}, {size_text(found['size'])}, {found['starred']:,} of them with a star")
    for one in found["archives"]:
        if one["copies"]:
            fate = "are deleted too" if archives and one["can_delete"] else "stay"
            why = "" if one["can_delete"] or not archives else ": it cannot delete them"
            say(f"{one['copies']:,} copies in {one['name']} {fate}{why}")
