"""The command of the audit log, which the running service is asked for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import click

from app.cli.api_client import ApiClient
from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import at_home, json_option, say, show_json, table
from pylib.timezones import local_zone


@click.command()
@click.option("--who", default="", help="Of this user, or token.")
@click.option("--subject", default="", help="Of this: the id of a snapshot, a camera, a rule, a user.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
@click.pass_obj
@exit_on_failure
def audit(config_file: Path | None, *, who: str, subject: str, limit: int, as_json: bool) -> None:
    """Show who changed what, the newest first.

    \b
    Example:
      snapshot-processor audit --who Anna
    """
    settings = looking(config_file)
    query = urlencode({"who": who, "subject": subject, "limit": limit})
    changes = ApiClient(settings.web, settings.data_dir).get_well(f"/api/audit?{query}", timeout=10)["changes"]
    if as_json:
        show_json(changes)
    elif not changes:
        say("nothing was changed", err=True)
    else:
        zone = local_zone(settings.time_zone)
        fields = ("address", "action", "subject", "detail")
        rows = [
            (
                f"{at_home(one['at'], zone):%Y-%m-%d %H:%M:%S}",
                one["who"] or one["method"],
                *(one[name] for name in fields),
            )
            for one in changes
        ]
        table(("WHEN", "WHO", "FROM", "WHAT", "OF", "MORE"), rows)
