"""The command that checks everything that is configured."""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from pathlib import Path

import click

from app.cli import terminal
from app.cli.failures import exit_on_failure
from app.cli.loading import loaded
from app.cli.terminal import advise, counted, json_option, say, show_json
from app.naming import CameraNames
from pylib.observability import logs

MARKS = {"ok": terminal.OK, "warning": terminal.WARNING, "wrong": terminal.WRONG}
"""By verdict."""


@click.command()
@click.argument("camera", default="")
@json_option
@click.pass_obj
@exit_on_failure
def check(config_file: Path | None, camera: str, as_json: bool) -> None:
    """Check configuration, broker, cameras, detector, disk, clock and secrets, and say what to do.

    With CAMERA, this camera only. Ends with status 1 when something is wrong.

    \b
    Example:
      snapshot-processor check
      snapshot-processor check "Front Door"
    """
    from app.cli.check import check as look
    from app.cli.check import pictures

    settings = loaded(config_file)
    logs.configure(level="critical", format="console")
    if camera:
        key = CameraNames([one.device_key for one in settings.cameras]).find(camera)
        found = pictures.cameras(settings, [one for one in settings.cameras if one.device_key == key])
    else:
        found = look(settings)
    seen = []
    for finding in found:
        seen.append(finding)
        if not as_json:
            say(f"{finding.subject}: {finding.text}", mark=MARKS[finding.verdict])
            advise(finding.remedy)
    counts = Counter(str(finding.verdict) for finding in seen)
    if as_json:
        show_json([dataclasses.asdict(finding) for finding in seen])
    else:
        say(summary(counts))
    sys.exit(int(counts["wrong"] > 0))


def summary(counts: Counter[str]) -> str:
    """`2 problems, 1 warning, 14 fine`."""
    parts = (
        counted(counts["wrong"], "problem") if counts["wrong"] else "",
        counted(counts["warning"], "warning") if counts["warning"] else "",
        f"{counts['ok']:,} fine",
    )
    return ", ".join(part for part in parts if part)
