"""The command that sends a test message."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from app.cli.failures import exit_on_failure
from app.cli.loading import loaded
from app.cli.terminal import say
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.rules.subscribers import Subscriber
from pylib.observability import logs
from pylib.timezones import local_zone


@click.group()
def notify() -> None:
    """Send messages to people."""


@notify.command("test")
@click.argument("name")
@click.pass_obj
@exit_on_failure
def notify_test(config_file: Path | None, name: str) -> None:
    """Send a drawn test picture through the outlet called NAME; the service need not run.

    \b
    Example:
      snapshot-processor notify test phone
    """
    from app.bootstrap.samples import SampleMessages
    from app.publishers import PublisherContext

    settings = loaded(config_file)
    logs.configure(level="warning", format="console")
    context = PublisherContext(
        device_name=settings.device_name,
        subscribers=_Recorded(settings),
        data_dir=settings.data_dir,
        zone=local_zone(settings.time_zone),
    )
    SampleMessages(settings, context).send(name)
    say(f"{name} has the test message")


class _Recorded:
    """The browsers that the journal knows; a service may have it open, so nothing is changed."""

    def __init__(self, settings: Settings) -> None:
        self._journal = DataDir(settings.data_dir).journal

    def subscribe(self, subscriber: Subscriber) -> None:
        """Left to the service."""

    def unsubscribe(self, endpoint: str) -> None:
        """Left to the service, which is told the same by the push service."""

    def subscribers(self, outlet: str = "") -> Sequence[Subscriber]:
        """Those of one outlet, or all; none where no service ever ran."""
        from app.journal.telling import recorded_subscribers

        if not self._journal.exists():
            return ()
        return [one for one in recorded_subscribers(self._journal) if outlet in ("", one.outlet)]
