"""The command that says from which confidence on labels were right, by the album's corrections."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import json_option, say, show_json
from app.config.data_dir import DataDir
from app.journal.album import recorded_inspections
from app.rules.thresholds import ENOUGH, Proposal, proposals

MOST_EVENTS = 100_000


@click.command()
@click.option("--days", type=click.IntRange(1, 36_500), default=90, show_default=True, help="Of the last so many days.")
@click.option(
    "--enough", type=click.IntRange(2, 10_000), default=ENOUGH, show_default=True, help="Events that a proposal needs."
)
@json_option
@click.pass_obj
@exit_on_failure
def thresholds(config_file: Path | None, days: int, enough: int, as_json: bool) -> None:
    """Propose confidences for rules: from which on a camera's labels were right, as corrected in the album.

    Reads the journal, and changes nothing.

    \b
    Example:
      snapshot-processor thresholds --days 30
    """
    journal = DataDir(looking(config_file).data_dir).journal
    since = datetime.now(UTC) - timedelta(days=days)
    found = proposals(recorded_inspections(journal, since=since, limit=MOST_EVENTS), enough=enough)
    if as_json:
        show_json([dataclasses.asdict(one) for one in found])
        return
    for one in found:
        say(_sentence(one))
    if not found:
        say(f"nothing yet: correct or confirm the labels of {enough} events of a camera in the album", err=True)


def _sentence(one: Proposal) -> str:
    what = f"{one.camera}, {one.label} ({one.detector})"
    missed = f"; {one.missed} were not seen at all" if one.missed else ""
    if one.wrong_then == one.wrong_now:
        return f"{what}: as it is, {one.wrong_now} of {one.events} wrong{missed}"
    wrong = f"{one.wrong_then} of {one.events} wrong instead of {one.wrong_now}"
    return f"{what}: from {one.threshold:.0%} on, {wrong}{missed}"
