"""The album's stream of events, for commands: it is taken up again where it was lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from app.cli.api_client import ApiClient, ServiceAway

SILENCE_S = 45.0
"""The service says something every 15 s; after so many seconds of silence it is gone."""
AGAIN_S = 3.0
"""Seconds until a lost stream is asked for again."""


def events(
    client: ApiClient,
    query: Mapping[str, str],
    *,
    after: str = "",
    quiet_after: float | None = None,
    told: Callable[[str], None],
    again_s: float = AGAIN_S,
) -> Iterator[dict[str, Any]]:
    """Events as they come, in the API's form; ends when none came for `quiet_after` seconds.

    `after`: id of the event behind which it begins; now unless given.
    `told` gets a sentence when the stream begins, is lost, and is there again. Raises `ServiceAway` where no
    service answers at the beginning, and `ServiceRefused`.
    """
    last, begun = after, False
    deadline = _deadline(quiet_after)
    while time.monotonic() < deadline:
        try:
            timeout = min(SILENCE_S, deadline - time.monotonic())
            headers = {"Last-Event-ID": last} if last else {}
            lines = client.lines(f"/api/events?{urlencode(query)}", timeout=timeout, headers=headers)
            for number, line in enumerate(lines):
                if number == 0:
                    told("listening again" if begun else "listening, Ctrl-C ends it")
                    begun = True
                field, _, value = line.partition(": ")
                if field == "id":
                    last = value
                elif field == "data":
                    yield json.loads(value)
                    deadline = _deadline(quiet_after)
                elif time.monotonic() >= deadline:
                    return
        except ServiceAway as away:
            if not begun:
                raise
            if time.monotonic() < deadline:
                told(f"{away.detail}; waiting for it")
                time.sleep(min(again_s, deadline - time.monotonic()))


def _deadline(quiet_after: float | None) -> float:
    return float("inf") if quiet_after is None else time.monotonic() + quiet_after
