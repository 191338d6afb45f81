"""What an event's page says of who was told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.messages import OutletDecision
from app.web.album import texts
from app.web.context import WebContext
from tests.fakes.web import Client, taken
from tests.unit.web.album.pages import look

DECISIONS = (
    OutletDecision("rabbitmq", tell=True, reason="gets every event"),
    OutletDecision("phone", tell=False, reason="door: zone porch: 41 % < 60 %"),
    OutletDecision("mail", tell=True, reason="all: every event", rule="all"),
)


def event(context: WebContext, folder: Path, event_id: str, *decisions: OutletDecision) -> None:
    inspection = replace(taken(context, folder, event_id), decisions=decisions)
    context.journal.record(inspection.snapshot)
    context.journal.inspect(inspection)


def told(client: Client, event_id: str) -> str:
    """The section in words."""
    text = " ".join(look(client, f"/snapshots/{event_id}").text.split())
    return text.partition("Who was told")[2].partition(" Note ")[0].strip()


def test_each_who_tells_people_is_named_with_whether_and_why(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    event(context, tmp_path, "e1", *DECISIONS)
    assert told(client, "e1") == "phone: not tolddoor: zone porch: 41 % < 60 %mail: waitsall: every event"
    context.journal.delivered("e1", "mail")
    assert told(client, "e1").endswith("mail: toldall: every event")


def test_what_was_given_up_is_not_called_told(context: WebContext, client: Client, tmp_path: Path) -> None:
    event(context, tmp_path, "e1", *DECISIONS)
    context.journal.abandon("e1", "mail", problem="refused: no such mailbox")
    assert told(client, "e1").endswith("mail: given upall: every event; refused: no such mailbox")


def test_without_a_rule_it_says_so_and_leaves_out_who_was_not_there_yet(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    event(context, tmp_path, "e1", OutletDecision("phone", tell=True, reason="there is no rule"))
    context.journal.delivered("e1", "phone")
    assert told(client, "e1") == "phone: toldthere was no rule"
    event(context, tmp_path, "e2")
    assert told(client, "e2") == ""


def test_the_page_says_how_long_each_step_took(context: WebContext, client: Client, tmp_path: Path) -> None:
    event(context, tmp_path, "e1", *DECISIONS)
    context.journal.delivered("e1", "mail")
    page = " ".join(look(client, "/snapshots/e1").text.split())
    way = [texts.step(one, ()) for one in context.journal.timeline("e1")]
    assert way[-1].startswith("told mail ")
    assert f"Its way{', '.join(way)}" in page
