"""Rules as the web side uses them: changed, and tried on what was kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.journal.entries import Entry, Filter, PageCursor
from app.naming import slug
from app.rules.evaluate import of_camera
from app.rules.file import RulesUnwritable
from app.rules.model import Rule, RuleBook, Zone
from app.rules.names import unknown_names
from app.rules.replay import Change, Comparison, compare
from app.rules.telling import EVERYWHERE
from app.web.context import WebContext
from app.web.errors import Conflict, NotFound, Unprocessable
from pylib.settings.draft import ConfigError

MOST_EVENTS = 3_000
"""As many of the newest events are tried."""
PAGE = 500
"""Events that are read at once."""
ALL_CAMERAS = "all"
"""In addresses, in place of a camera's name."""


async def write(change: Callable[[], None]) -> None:
    """Make a change to the file. Raises `Unprocessable`, which names what would be wrong, and `Conflict`."""
    try:
        await run_in_threadpool(change)
    except ConfigError as error:
        raise Unprocessable("bad_rules", "; ".join(error.problems)) from None
    except RulesUnwritable as error:
        raise Conflict(error.code, error.detail) from None


def rule_named(context: WebContext, name: str) -> Rule:
    """Raises `NotFound`."""
    rules = context.rules.book.rules
    found = next((rule for rule in rules if rule.name == name), None)
    if found is None:
        known = ", ".join(rule.name for rule in rules) or "none"
        raise NotFound("unknown_rule", f"no rule {name[:60]!r}; there are: {known}")
    return found


def zones_of(context: WebContext, camera: str) -> list[Zone]:
    """The zones and masks of a camera, by its device key."""
    return [zone for zone in context.rules.book.zones if of_camera(zone.camera, camera)]


def zone_of(context: WebContext, camera: str, name: str) -> Zone | None:
    """The zone of this name."""
    return next((zone for zone in zones_of(context, camera) if zone.name == name), None)


def camera_named(context: WebContext, name: str) -> str:
    """The device key of a configured camera. Raises `NotFound`."""
    camera = context.camera(name)
    if camera is None:
        known = ", ".join(context.cameras) or "none"
        raise NotFound("unknown_camera", f"no camera {name[:60]!r}; there are: {known}")
    return camera


def snoozable(context: WebContext, name: str) -> str:
    """A device key, or `EVERYWHERE` for `all`. Raises `NotFound`."""
    return EVERYWHERE if slug(name) == ALL_CAMERAS else camera_named(context, name)


@dataclass(frozen=True, slots=True)
class Preview:
    """What rules that are tried would have told."""

    compared: Comparison
    entries: dict[str, Entry]
    """Of the changes, by id."""
    since: datetime
    """When the oldest event that was tried was, or from when on there was none."""

    @property
    def newest(self) -> list[Change]:
        """The changes, newest first."""
        return list(reversed(self.compared.changes))


def with_rule(book: RuleBook, rule: Rule, *, instead_of: str) -> RuleBook:
    """The same with this rule in place of the one of that name, or behind all; names may come twice now."""
    names = [one.name for one in book.rules]
    at = names.index(instead_of) if instead_of in names else len(names)
    return book.model_copy(update={"rules": (*book.rules[:at], rule, *book.rules[at + 1 :])})


def checked_book(context: WebContext, book: RuleBook) -> RuleBook:
    """The same, if it could be written. Raises `Unprocessable`."""
    try:
        book = RuleBook.model_validate(book.model_dump())
    except ValidationError as error:
        sentences = [problem["msg"].removeprefix("Value error, ") for problem in error.errors()]
        raise Unprocessable("bad_rules", "; ".join(sentences)) from None
    unknown = [text for _, text in unknown_names(book, cameras=context.cameras, outlets=context.outlets.notifying)]
    if unknown:
        raise Unprocessable("bad_rules", "; ".join(unknown))
    return book


def preview(context: WebContext, book: RuleBook, *, since: datetime, mode: str) -> Preview:
    """This rule book against the one that holds, on the events since then; takes seconds where there are many."""
    entries = _kept(context, since)
    inspections = [entry.inspection for entry in reversed(entries)]
    compared = compare(inspections, context.rules.book, book, context.outlets, zone=context.zone, mode=mode)
    changed = {change.inspection.id for change in compared.changes}
    began = entries[-1].inspection.snapshot.taken_at if len(entries) == MOST_EVENTS else since
    return Preview(compared, {entry.id: entry for entry in entries if entry.id in changed}, began)


def _kept(context: WebContext, since: datetime) -> list[Entry]:
    """The newest first."""
    entries: list[Entry] = []
    before: PageCursor | None = None
    while len(entries) < MOST_EVENTS:
        page = context.journal.page(Filter(since=since), before=before, limit=PAGE)
        entries += page
        if len(page) < PAGE:
            break
        before = page[-1].place
    return entries
