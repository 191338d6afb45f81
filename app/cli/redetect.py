"""The command that has pictures looked at again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from app.cli.api_client import ApiClient
from app.cli.failures import exit_on_failure
from app.cli.film import Moment
from app.cli.loading import looking
from app.cli.terminal import say

PATIENCE_S = 30.0


@click.command()
@click.option("--since", type=Moment(), required=True, help="From when on: 12h, 7d, or a day such as 2026-11-21.")
@click.option("--until", type=Moment(), help="Until when; now unless given.")
@click.option("--camera", default="", help="Name of a camera; all unless given.")
@click.option("--detector", default="", help="Kind of a configured detector; the usual one unless given.")
@click.pass_obj
@exit_on_failure
def redetect(config_file: Path | None, since: datetime, until: datetime | None, camera: str, detector: str) -> None:
    """Have the running service look again at the pictures of a time; corrections stay, and nobody is told again.

    A picture that a detector was paid for is not paid for again.

    \b
    Example:
      snapshot-processor redetect --since 2026-11-21 --camera "Front Door"
    """
    settings = looking(config_file)
    body = {"since": since.isoformat(), "camera": camera, "detector": detector}
    if until is not None:
        body["until"] = until.isoformat()
    asked = ApiClient(settings.web, settings.data_dir).post("/api/redetections", timeout=PATIENCE_S, body=body)
    say(f"{asked['pictures']} pictures are looked at again; the status page and GET /api/jobs show how far it is")
