"""The command that finds ONVIF cameras in the network."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from app.cli.failures import exit_on_failure
from app.cli.terminal import json_option, say, show_json, table

if TYPE_CHECKING:
    from app.cameras.onvif.discovery import FoundDevice

NOTHING = """No ONVIF camera answered. Look at this:
- Is ONVIF switched on in the camera? Many makes ship it switched off, or want a user of its own for it.
- Is this machine in the camera's network? Questions by multicast pass neither routers nor most guest networks.
- In Docker, multicast reaches cameras with the host's network only: docker run --network host ...
- Does a firewall let answers from UDP port 3702 in, to any port?
A camera whose address you know needs none of this: kind onvif with its address."""


@click.command()
@click.option("--seconds", default=4.0, show_default=True, type=click.FloatRange(0.1, 60), help="Wait for answers.")
@json_option
@exit_on_failure
def discover(seconds: float, as_json: bool) -> None:
    """Find ONVIF cameras in this network, and print what config.yml needs for them.

    \b
    Example:
      snapshot-processor discover --seconds 10
    """
    from app.cameras.onvif import discovery

    found = discovery.discover(seconds, group=discovery.GROUP)
    if as_json:
        show_json([asdict(device) for device in found])
    elif found:
        table(
            ("address", "name", "hardware", "location"),
            [(device.address, device.name, device.hardware, device.location) for device in found],
        )
        click.echo("\nFor config.yml; the user is one that may use ONVIF:\n")
        for line in _yaml(found):
            say(line)
    else:
        click.echo(NOTHING, err=True)
    sys.exit(0 if found else 1)


def _yaml(found: Sequence[FoundDevice]) -> Iterator[str]:
    yield "cameras:"
    taken: set[str] = set()
    for device in found:
        location = device.name or device.address
        if location in taken:
            location = f"{location} {device.address}"
        taken.add(location)
        yield "  - kind: onvif"
        yield f"    location: {json.dumps(location, ensure_ascii=False)}"
        yield f"    address: {json.dumps(device.address)}"
        if device.https:
            yield "    https: true"
        yield '    username: ""'
        yield '    password: ""'
