"""Rules and zones: read, change and try them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.rules.model import Rule, Zone
from app.rules.replay import Change
from app.web.api import request_models, response_models, rule_models, validation
from app.web.api.common import ERRORS, FAILURES, error
from app.web.api.operation import BodySpec, Operation, ResponseSpec, json_of
from app.web.api.param_types import at_home
from app.web.api.serialize import decision_json, entry_json
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.rules import Preview, camera_named, checked_book, preview, rule_named, with_rule, write, zone_of

WEEK = timedelta(days=7)
MOST_CHANGES = 100

WRITING = {
    409: error("The file cannot be written, or is broken: mend it by hand first."),
    422: error("The rules would make no sense; the sentence says why."),
    **FAILURES,
}


class RuleEndpoints:
    """The endpoints of rules and zones."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._file = context.rules

    def operations(self) -> list[Operation]:
        rule, zone = "/api/rules/{name}", "/api/cameras/{name:path}/zones/{zone}"
        book = json_of("As they are now.", response_models.RulesModel)
        return [
            Operation(
                "GET",
                "/api/rules",
                self.get_rules,
                "All rules, zones, and what holds for all of them",
                {200: book, **ERRORS},
                query=request_models.NoParams,
            ),
            Operation(
                "PATCH",
                "/api/rules",
                self.change_rule_settings,
                "Change quiet hours, what counts as still, and digests",
                {200: book, **ERRORS, **WRITING},
                query=request_models.NoParams,
                body=BodySpec({"application/json": rule_models.RuleSettingsBody}),
            ),
            Operation(
                "POST",
                "/api/rules/preview",
                self.preview_rules,
                "Run the events that were kept through changed rules, and compare; nothing is changed or told",
                {
                    200: json_of("What would be different.", response_models.PreviewModel),
                    **ERRORS,
                    422: error("The rules would make no sense; the sentence says why."),
                    **FAILURES,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": rule_models.PreviewRequestBody}),
            ),
            Operation(
                "PUT",
                rule,
                self.put_rule,
                "Add a rule, or replace the one of this name, by another name too",
                {200: json_of("As it is now.", Rule), **ERRORS, **WRITING},
                query=request_models.NoParams,
                body=BodySpec({"application/json": rule_models.NamedRuleBody}),
            ),
            Operation(
                "DELETE",
                rule,
                self.delete_rule,
                "Delete a rule",
                {204: ResponseSpec("It is gone."), **ERRORS, 404: error("There is no such rule."), **WRITING},
                query=request_models.NoParams,
            ),
            Operation(
                "PUT",
                zone,
                self.put_zone,
                "Add a zone, mask or privacy mask of a camera, or replace the one of this name",
                {
                    200: json_of("As it is now.", Zone),
                    **ERRORS,
                    404: error("There is no such camera."),
                    **WRITING,
                },
                query=request_models.NoParams,
                body=BodySpec({"application/json": rule_models.ZoneShapeBody}),
            ),
            Operation(
                "DELETE",
                zone,
                self.delete_zone,
                "Delete a zone or mask, unless a rule needs it",
                {
                    204: ResponseSpec("It is gone."),
                    **ERRORS,
                    404: error("There is no such camera, or no such zone."),
                    **WRITING,
                },
                query=request_models.NoParams,
            ),
        ]

    async def get_rules(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        return JSONResponse(await run_in_threadpool(self._all))

    async def change_rule_settings(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        change = await validation.section(request, rule_models.RuleSettingsBody)
        values = change.model_dump(mode="json", include=change.model_fields_set)
        await write(lambda: self._file.put_settings(**values))
        return JSONResponse(await run_in_threadpool(self._all))

    async def put_rule(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        name = request.path_params["name"]
        given = await validation.section(request, rule_models.NamedRuleBody)
        rule = validation.checked(Rule, {**given.model_dump(), "name": given.name or name}, "bad_field")
        await write(lambda: self._file.put_rule(rule, instead_of=name))
        return JSONResponse(rule.model_dump(mode="json"))

    async def delete_rule(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        rule = await run_in_threadpool(rule_named, self._context, request.path_params["name"])
        await write(lambda: self._file.remove_rule(rule.name))
        return Response(status_code=204)

    async def preview_rules(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        asked = await validation.section(request, rule_models.PreviewRequestBody)
        return JSONResponse(await run_in_threadpool(self._preview, asked))

    async def put_zone(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        camera, name = camera_named(self._context, request.path_params["name"]), request.path_params["zone"]
        body = await validation.section(request, rule_models.ZoneShapeBody)
        known = await run_in_threadpool(zone_of, self._context, camera, name)
        values = {
            "camera": known.camera if known else camera,
            "name": body.name or name,
            "points": body.points,
            "mask": body.mask,
            "private": body.private,
        }
        zone = validation.checked(Zone, values, "bad_field")
        await write(lambda: self._file.put_zone(zone, instead_of=name))
        return JSONResponse(zone.model_dump(mode="json"))

    async def delete_zone(self, request: Request) -> Response:
        validation.query(request, request_models.NoParams)
        camera = camera_named(self._context, request.path_params["name"])
        name = request.path_params["zone"]
        zone = await run_in_threadpool(zone_of, self._context, camera, name)
        if zone is None:
            raise NotFound("unknown_zone", f"no zone {name[:60]!r} of {camera}")
        await write(lambda: self._file.remove_zone(camera, zone.name))
        return Response(status_code=204)

    def _all(self) -> dict[str, Any]:
        book = self._file.book
        return {**book.model_dump(mode="json"), "problems": list(self._file.problems)}

    def _preview(self, asked: rule_models.PreviewRequestBody) -> dict[str, Any]:
        book = asked.book or self._file.book
        if asked.rule is not None:
            book = with_rule(book, asked.rule, instead_of=asked.instead_of)
        book = checked_book(self._context, book)
        since = at_home(asked.since, self._context.zone) if asked.since else datetime.now(UTC) - WEEK
        mode = asked.mode or self._context.telling.mode
        found = preview(self._context, book, since=since, mode=mode)
        return {
            "since": found.since.astimezone(UTC).isoformat(),
            "mode": mode,
            "events": found.compared.events,
            "before": found.compared.before,
            "after": found.compared.after,
            "changed": len(found.compared.changes),
            "changes": [self._change(found, change) for change in found.newest[:MOST_CHANGES]],
        }

    def _change(self, found: Preview, change: Change) -> dict[str, Any]:
        described = entry_json(found.entries[change.inspection.id], self._context.site)
        names = ("event_id", "device_label", "taken_at", "url", "thumbnail_url")
        return {
            **{name: described[name] for name in names},
            "before": decision_json(change.before),
            "after": decision_json(change.after),
        }
