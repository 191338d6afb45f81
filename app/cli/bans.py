"""The commands for bans after wrong logins, which the running service is asked for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import click

from app.cli.api_client import ApiClient, ServiceAway
from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import json_option, say, show_json, table
from app.config import settings as configuration
from app.config.data_dir import DataDir


@click.group()
def bans() -> None:
    """Show and lift bans of the running service: logins that are not checked after too many wrong passwords."""


@bans.command("list")
@json_option
@click.pass_obj
@exit_on_failure
def bans_list(config_file: Path | None, as_json: bool) -> None:
    """List the bans of the album, the FTP server and the mail server.

    \b
    Example:
      snapshot-processor bans list
    """
    settings = looking(config_file)
    found = ApiClient(settings.web, settings.data_dir).get_well("/api/bans", timeout=10)["bans"]
    if as_json:
        show_json(found)
        return
    everybody = "all but those that worked there lately"
    table(
        ("server", "address", "until", "login"),
        [(ban["server"], ban["address"], ban["until"], ban["login"] or everybody) for ban in found],
    )
    if not found:
        say("there is no ban", err=True)


@bans.command("lift")
@click.argument("address", required=False)
@click.option("--all", "everywhere", is_flag=True, help="Lift all bans.")
@click.pass_obj
@exit_on_failure
def bans_lift(config_file: Path | None, address: str | None, everywhere: bool) -> None:
    """Lift the bans of ADDRESS at all servers.

    \b
    Example:
      snapshot-processor bans lift 192.168.1.20
    """
    if bool(address) == everywhere:
        raise click.UsageError("name an address, or say --all")
    query = urlencode({"address": address or ""})
    settings = configuration.load(config_file)
    try:
        lifted = ApiClient(settings.web, settings.data_dir).post(f"/api/bans/lift?{query}", timeout=10)["lifted"]
    except ServiceAway as error:
        files = " and ".join(map(str, DataDir(settings.data_dir).bans))
        raise ServiceAway(error.code, f"{error.detail}; without it, stop the service and delete {files}") from None
    say(f"lifted: {lifted}")
