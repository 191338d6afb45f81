"""The command that asks the running service how it is."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from app.cli.api_client import ApiClient, ServiceAway
from app.cli.failures import exit_on_failure
from app.cli.terminal import OK, WRONG, Coloured, json_option, show_json, table
from app.config import settings as configuration

MARKS = {"working": OK, "untried": Coloured("-", "dim"), "degraded": Coloured("hitch", "yellow"), "failing": WRONG}
"""Before a check, by its state."""


@click.command()
@json_option
@click.pass_obj
@exit_on_failure
def health(config_file: Path | None, as_json: bool) -> None:
    """Ask the running service how it is; ends with status 0 as long as it is alive, as the container's check wants it.

    \b
    Example:
      snapshot-processor health
    """
    # Asked every half minute: no vault is opened for it.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OP_")}
    settings = configuration.load(config_file, environ)
    service = ApiClient(settings.web, settings.data_dir)
    status, report = service.get("/health/live", timeout=4)
    with suppress(ServiceAway):  # a hanging disk or broker is no reason for a restart
        report = service.get("/health/ready", timeout=4)[1]
    if as_json:
        show_json(report)
    else:
        checks = report.get("checks", ())
        table(("", "check", "found"), [(MARKS[one["state"]], one["name"], one["detail"]) for one in checks])
    sys.exit(0 if status == 200 else 1)
