"""The pages of rules: the list in words, the form with its preview, mode and quiet hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.journal.entries import Filter
from app.messages import PERSON
from app.rules.evaluate import of_camera
from app.rules.model import Rule, Still, Zone
from app.rules.replay import Change
from app.rules.telling import EVERYWHERE, MODES
from app.web import audit, forms
from app.web.album import rule_form, texts
from app.web.album.camera_names import MOST_LISTED
from app.web.album.languages import counted, tr
from app.web.album.page_query import PageQuery
from app.web.album.rendering import Rendering
from app.web.album.rule_form import Fields, fields_of, hours, minutes, number, one, rule_of
from app.web.album.snoozing import Snoozing
from app.web.album.view import Card, Viewer
from app.web.api import validation
from app.web.api.rule_models import RuleSettingsBody
from app.web.context import WebContext
from app.web.errors import BadRequest, RequestRefused, Unprocessable
from app.web.rules import Preview, checked_book, preview, rule_named, with_rule, write

DAYS = 7
"""Days of which events are tried."""
SHOWN = 12
"""Changed events that a preview shows."""
BLANK_ROWS = 2
"""Rows for further labels."""


class Changed(NamedTuple):
    """A changed event of a preview."""

    card: Card
    outlet: str
    told: bool
    """By the changed rules, and not by those that hold."""
    reason: str


class RulePages:
    """The handlers of rules."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer, snoozing: Snoozing) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view
        self._snoozing = snoozing
        self._anything = PageQuery({}, Filter(), context.zone, context.site.path("/"))

    def routes(self) -> list[Route]:
        return [
            Route("/rules", self.rules),
            Route("/rules/mode", self.mode, methods=["POST"]),
            Route("/rules/settings", self.settings, methods=["POST"]),
            Route("/rules/preview", self.preview, methods=["POST"]),
            Route("/rules/new", self.new, methods=["GET"]),
            Route("/rules/new", self.save, methods=["POST"]),
            Route("/rules/{name}/edit", self.edit, methods=["GET"]),
            Route("/rules/{name}/edit", self.save, methods=["POST"]),
            Route("/rules/{name}/delete", self.delete, methods=["POST"]),
        ]

    async def rules(self, request: Request) -> Response:
        return await run_in_threadpool(self._list, request)

    async def new(self, request: Request) -> Response:
        fields = {"label": [PERSON]}
        return await run_in_threadpool(self._form, request, fields)

    async def edit(self, request: Request) -> Response:
        rule = await run_in_threadpool(rule_named, self._context, request.path_params["name"])
        return await run_in_threadpool(self._form, request, fields_of(rule))

    async def save(self, request: Request) -> Response:
        """Write the rule, or show the form again with what is wrong."""
        fields = await forms.lists(request)
        name = request.path_params.get("name", "")
        try:
            old = next((known for known in self._context.rules.book.rules if known.name == name), None)
            rule = rule_of(fields, burst=old.burst if old else None)
            if rule.name != name and any(rule.name == known.name for known in self._context.rules.book.rules):
                raise Unprocessable(
                    "bad_rules", tr("there is a rule {name} already: give it another name", name=repr(rule.name))
                )
            await write(lambda: self._context.rules.put_rule(rule, instead_of=name))
        except RequestRefused as refusal:
            return await run_in_threadpool(self._form, request, fields, refusal)
        return self._to_rules()

    async def delete(self, request: Request) -> Response:
        rule = await run_in_threadpool(rule_named, self._context, request.path_params["name"])
        await write(lambda: self._context.rules.remove_rule(rule.name))
        return self._to_rules()

    async def mode(self, request: Request) -> Response:
        wanted = (await forms.fields(request)).get("mode", "")
        if wanted not in MODES:
            raise BadRequest("bad_field", f"the mode is one of {', '.join(MODES)}")
        await run_in_threadpool(self._context.telling.set_mode, wanted)
        audit.say(request, wanted)
        return self._to_rules()

    async def settings(self, request: Request) -> Response:
        """Quiet hours, digests, and what counts as still."""
        fields = await forms.lists(request)
        try:
            values = _settings_of(fields, self._context.rules.book.still)
            await write(lambda: self._context.rules.put_settings(**values))
        except RequestRefused as refusal:
            return await run_in_threadpool(self._list, request, refusal)
        return self._to_rules()

    async def preview(self, request: Request) -> Response:
        """A part of the form: what the rule in it would have told. Always 200, also for a half-written rule."""
        fields = await forms.lists(request)
        try:
            rule = rule_of({**fields, "name": [one(fields, "name") or "this rule"]})
            context = await run_in_threadpool(self._preview, rule, one(fields, "instead_of"))
        except RequestRefused as refusal:
            context = {"problem": texts.problem(refusal.detail)}
        return self._rendering.page(request, "_preview.html", {"problem": "", **context})

    def _list(self, request: Request, problem: RequestRefused | None = None) -> Response:
        book, telling = self._context.rules.book, self._context.telling
        labels = self._camera_labels(name for rule in book.rules for name in rule.cameras)
        begin, _, end = book.quiet_hours.partition("-")
        context = {
            "rules": [(rule.name, self._address(rule), rule_form.sentence(rule, labels)) for rule in book.rules],
            "problems": self._context.rules.problems,
            "problem": texts.problem(problem.detail) if problem else "",
            "outlets": [(name, name in self._context.test_messages) for name in self._outlets()],
            "mode": telling.mode,
            "modes": {mode: tr(name) for mode, name in rule_form.MODE_NAMES.items()},
            "snoozes": [self._snoozing.view(snooze) for snooze in telling.snoozes],
            "all_snoozed": any(snooze.camera == EVERYWHERE for snooze in telling.snoozes),
            "quiet": (begin.strip(), end.strip()),
            "digest": book.digest,
            "still": book.still,
        }
        return self._rendering.page(request, "rules.html", context, status_code=problem.status if problem else 200)

    def _form(self, request: Request, fields: Fields, problem: RequestRefused | None = None) -> Response:
        book, name = self._context.rules.book, request.path_params.get("name", "")
        labels = list(fields.get("label", ()))
        least = [*fields.get("least", ()), *[""] * len(labels)]
        places = self._camera_labels(zone.camera for zone in book.zones)
        zones = sorted({zone.name for zone in book.zones if zone.counts}, key=str.casefold)
        context = {
            "old_name": name,
            "fields": fields,
            "one": lambda field: one(fields, field),
            "problem": texts.problem(problem.detail) if problem else "",
            "cameras": self._choices(fields),
            "more_cameras": len(self._context.cameras) > MOST_LISTED,
            "things": [*zip(labels, least, strict=False), *[("", "")] * BLANK_ROWS],
            "zones": [(zone, _places(zone, book.zones, places)) for zone in zones],
            "chosen_zones": {zone.casefold() for zone in fields.get("zones", ())},
            "days": {day: tr(name) for day, name in rule_form.DAY_NAMES.items()},
            "modes": {mode: tr(name) for mode, name in rule_form.MODE_NAMES.items()},
            "outlets": [(name, name) for name in self._outlets()],
            "action": self._context.site.path(request.scope["path"]),
        }
        return self._rendering.page(request, "rule.html", context, status_code=problem.status if problem else 200)

    def _choices(self, fields: Fields) -> list[tuple[str, str]]:
        """Cameras to tick: all, or those of the rule where there are too many for a list."""
        every = [(_spelling(key, fields), info.label) for key, info in self._context.cameras.items()]
        if len(every) <= MOST_LISTED:
            return every
        return [(name, label) for name, label in every if name in fields.get("cameras", ())][:MOST_LISTED]

    def _preview(self, rule: Rule, instead_of: str) -> dict[str, Any]:
        book = checked_book(self._context, with_rule(self._context.rules.book, rule, instead_of=instead_of))
        mode = self._context.telling.mode
        if rule.modes and mode not in rule.modes:
            mode = rule.modes[0]
        since = datetime.now(UTC) - timedelta(days=DAYS)
        found = preview(self._context, book, since=since, mode=mode)
        return {
            "found": found.compared,
            "days": DAYS,
            "more": found.compared.after - found.compared.before,
            "mode": tr(mode) if rule.modes else "",
            "changes": [self._changed(found, change) for change in found.newest[:SHOWN]],
            "messages": counted(found.compared.after, "message", "messages"),
        }

    def _changed(self, found: Preview, change: Change) -> Changed:
        card = self._view.card(found.entries[change.inspection.id], self._anything)
        return Changed(card, change.outlet, change.after.tell, texts.reason(change.after.reason))

    def _outlets(self) -> list[str]:
        """Those that tell people."""
        outlets = self._context.outlets
        return [name for name in outlets.names if name in outlets.notifying]

    def _camera_labels(self, names: Iterable[str]) -> dict[str, str]:
        cameras = self._context.cameras.items()
        return {name: next((info.label for key, info in cameras if of_camera(name, key)), name) for name in names}

    def _address(self, rule: Rule) -> str:
        return self._context.site.path(f"/rules/{quote(rule.name)}/edit")

    def _to_rules(self) -> Response:
        return RedirectResponse(self._context.site.path("/rules"), 303)


def _spelling(key: str, fields: Fields) -> str:
    """A camera as the rule spells it, or else its device key."""
    return next((name for name in fields.get("cameras", ()) if of_camera(name, key)), key)


def _places(name: str, zones: Iterable[Zone], labels: Mapping[str, str]) -> str:
    """Of which cameras there is a zone of this name."""
    return ", ".join(labels[zone.camera] for zone in zones if zone.name == name and zone.counts)


def _settings_of(fields: Fields, still_now: Still) -> dict[str, Any]:
    """What the form sets; it leaves the overlap as it is. Raises `BadRequest`."""
    still = {"after": minutes(fields, "still_after"), "overlap": still_now.overlap}
    digest = {"after": int(number(fields, "digest_after")), "within": minutes(fields, "digest_within") or 600}
    values = {"quiet_hours": hours(fields), "still": still, "digest": digest}
    return validation.checked(RuleSettingsBody, values, "bad_field").model_dump(mode="json")
