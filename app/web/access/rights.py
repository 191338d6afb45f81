"""The rights: one table with every route, what it takes, and what the audit log says of it.

A route that is not in it is for admins who may see all cameras.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from app.web.access.caller import Right

VIEWER, OPERATOR, ADMIN = Right.VIEWER, Right.OPERATOR, Right.ADMIN


class Rule(NamedTuple):
    """What a route takes."""

    right: Right
    action: str = ""
    """What the audit log says that was done; empty for what changes nothing, or has a record of its own."""
    own: bool = False
    """Whether its handler shows nothing but what the caller's cameras saw. Who may see some cameras only is refused
    elsewhere, except where the path names a snapshot, a camera or a film: then that decides."""


RULES: Mapping[str, Rule] = {
    # -- pages to look at
    "GET /": Rule(VIEWER, own=True),
    "GET /when": Rule(VIEWER, own=True),
    "GET /live": Rule(VIEWER, own=True),
    "GET /snapshots/{id}": Rule(VIEWER),
    "GET /live/{what}": Rule(VIEWER, own=True),
    "GET /cameras": Rule(VIEWER, own=True),
    "GET /cameras/{name}": Rule(VIEWER),
    "GET /films": Rule(VIEWER, own=True),
    "GET /films/{id}": Rule(VIEWER),
    "GET /running-films/{id}": Rule(VIEWER),
    "GET /rules": Rule(VIEWER),
    "GET /status": Rule(VIEWER),
    "GET /snooze/{name}": Rule(VIEWER),
    # -- what pages are made of
    "GET /login": Rule(VIEWER, own=True),
    "GET /manifest.webmanifest": Rule(VIEWER, own=True),
    "GET /favicon.ico": Rule(VIEWER, own=True),
    "GET /service-worker.js": Rule(VIEWER, own=True),
    "GET /static/{version}/{name}": Rule(VIEWER, own=True),
    # -- the API, to look at
    "GET /openapi.json": Rule(VIEWER, own=True),
    "GET /health/live": Rule(VIEWER, own=True),
    "GET /health/ready": Rule(VIEWER),
    "GET /metrics": Rule(VIEWER),
    "GET /api/cameras": Rule(VIEWER, own=True),
    "GET /api/snapshots": Rule(VIEWER, own=True),
    "GET /export": Rule(VIEWER, own=True),
    "GET /api/export": Rule(VIEWER, own=True),
    "GET /api/export.zip": Rule(VIEWER, own=True),
    "POST /api/export.zip": Rule(VIEWER, "download", own=True),
    "POST /selection/zip": Rule(VIEWER, "download", own=True),
    "GET /api/snapshots/{id}": Rule(VIEWER),
    "GET /api/snapshots/{id}/image": Rule(VIEWER),
    "GET /api/snapshots/{id}/thumbnail": Rule(VIEWER),
    "GET /api/snapshots/{id}/preview": Rule(VIEWER),
    "GET /api/snapshots/{id}/annotated": Rule(VIEWER),
    "GET /api/snapshots/{id}/animation": Rule(VIEWER),
    "GET /api/snapshots/{id}/frames/{number}": Rule(VIEWER),
    "GET /visits/{visit}": Rule(VIEWER, own=True),
    "GET /names/labels": Rule(VIEWER, own=True),
    "GET /names/cameras": Rule(VIEWER, own=True),
    "GET /api/visits": Rule(VIEWER, own=True),
    "GET /api/count": Rule(VIEWER, own=True),
    "GET /api/snapshots/{id}/video": Rule(VIEWER),
    "GET /api/cameras/{name}/latest.jpg": Rule(VIEWER),
    "GET /api/labels": Rule(VIEWER, own=True),
    "GET /api/heat": Rule(VIEWER, own=True),
    "GET /api/events": Rule(VIEWER, own=True),
    "GET /api/films": Rule(VIEWER, own=True),
    "GET /api/films/{id}": Rule(VIEWER),
    "GET /api/films/{id}/video": Rule(VIEWER),
    "GET /api/films/{id}/still": Rule(VIEWER),
    "GET /api/films/{id}/chapters": Rule(VIEWER),
    "GET /api/films/{id}/left-out": Rule(VIEWER),
    "GET /api/running-films": Rule(VIEWER),
    "GET /api/archives": Rule(VIEWER),
    "GET /api/costs": Rule(VIEWER),
    "GET /api/jobs": Rule(VIEWER),
    "GET /api/mode": Rule(VIEWER, own=True),
    "GET /api/rules": Rule(VIEWER),
    "GET /api/snoozes": Rule(VIEWER),
    "GET /api/push/key": Rule(VIEWER),
    # -- one's own
    "POST /login": Rule(VIEWER, own=True),
    "POST /logout": Rule(VIEWER, own=True),
    "POST /theme": Rule(VIEWER, own=True),
    "POST /language": Rule(VIEWER, own=True),
    "POST /api/push/subscriptions": Rule(VIEWER, "push on"),
    "DELETE /api/push/subscriptions": Rule(VIEWER, "push off"),
    # -- day's work
    "POST /cameras/{name}/trigger": Rule(OPERATOR),
    "GET /snapshots/{id}/taken": Rule(OPERATOR, own=True),
    "POST /api/cameras/{name}/trigger": Rule(OPERATOR),
    "POST /api/hooks/{hook}": Rule(OPERATOR, own=True),
    "GET /upload": Rule(OPERATOR),
    "POST /upload": Rule(OPERATOR, "upload"),
    "POST /api/snapshots": Rule(OPERATOR, "upload"),
    "POST /api/uploads/form": Rule(OPERATOR, "upload form"),
    "POST /snapshots/{id}/star": Rule(OPERATOR, "star"),
    "POST /snapshots/{id}/review": Rule(OPERATOR, "review"),
    "POST /visits/{visit}/review": Rule(OPERATOR, "review", own=True),
    "PATCH /api/visits/{visit}": Rule(OPERATOR, "review", own=True),
    "POST /selection/ids": Rule(ADMIN, own=True),
    "POST /selection/star": Rule(OPERATOR, "star", own=True),
    "POST /selection/reviewed": Rule(OPERATOR, "review", own=True),
    "PATCH /api/snapshots": Rule(OPERATOR, "change", own=True),
    "POST /snapshots/{id}/note": Rule(OPERATOR, "note"),
    "POST /snapshots/{id}/labels": Rule(OPERATOR, "labels"),
    "PATCH /api/snapshots/{id}": Rule(OPERATOR, "change"),
    "POST /snapshots/{id}/look-again": Rule(OPERATOR, "look again"),
    "POST /api/snapshots/{id}/detection": Rule(OPERATOR, "look again"),
    "POST /api/snapshots/{id}/link": Rule(OPERATOR, "link"),
    "POST /api/cameras/{name}/link": Rule(OPERATOR, "link"),
    "POST /snoozes/{name}": Rule(OPERATOR, "snooze"),
    "POST /snooze/{name}": Rule(OPERATOR, "snooze"),
    "PUT /api/snoozes/{name}": Rule(OPERATOR, "snooze"),
    "DELETE /api/snoozes/{name}": Rule(OPERATOR, "snooze"),
    "POST /rules/mode": Rule(OPERATOR, "mode"),
    "PUT /api/mode": Rule(OPERATOR, "mode"),
    # -- the photo booth: its tablet has a token of its own
    "GET /booth": Rule(OPERATOR),
    "GET /booth/enter": Rule(VIEWER, own=True),
    "POST /booth/enter": Rule(VIEWER, own=True),
    "GET /api/booth": Rule(OPERATOR),
    "POST /api/booth/start": Rule(OPERATOR),
    "POST /api/booth/pictures": Rule(OPERATOR),
    "POST /api/booth/events": Rule(OPERATOR),
    "POST /api/booth/guest": Rule(OPERATOR),
    "GET /api/booth/animation/{guest}": Rule(OPERATOR),
    "GET /api/booth/code/{guest}": Rule(OPERATOR),
    "GET /api/booth/gallery": Rule(OPERATOR),
    "GET /api/booth/gallery/{guest}": Rule(OPERATOR),
    "GET /api/booth/guests.csv": Rule(ADMIN),
    "GET /booth/guests/{guest}": Rule(ADMIN),
    "GET /booth/guests/{guest}/animation": Rule(ADMIN),
    "POST /booth/guests/{guest}": Rule(ADMIN, "delete guest"),
    # -- people
    "GET /account": Rule(VIEWER, own=True),
    "POST /account/password": Rule(VIEWER, "password", own=True),
    "POST /account/everywhere": Rule(VIEWER, "log out everywhere", own=True),
    "GET /users": Rule(ADMIN),
    "POST /users": Rule(ADMIN, "add user"),
    "POST /users/{name}": Rule(ADMIN, "change user"),
    "POST /users/{name}/password": Rule(ADMIN, "password"),
    "POST /users/{name}/delete": Rule(ADMIN, "delete user"),
    "GET /audit": Rule(ADMIN),
    "GET /api/audit": Rule(ADMIN),
    # -- everything else
    "POST /snapshots/{id}/delete": Rule(ADMIN, "delete"),
    "POST /selection/delete": Rule(ADMIN, "delete", own=True),
    "POST /selection/film": Rule(ADMIN, "film", own=True),
    "POST /deletions/{id}/undo": Rule(ADMIN, "undelete", own=True),
    "POST /api/deletions/{id}/undo": Rule(ADMIN, "undelete", own=True),
    "POST /api/deletions": Rule(ADMIN, "delete"),
    "GET /api/deletions/preview": Rule(ADMIN),
    "GET /delete": Rule(ADMIN),
    "POST /delete": Rule(ADMIN, "delete"),
    "DELETE /api/snapshots/{id}": Rule(ADMIN, "delete"),
    "POST /api/redetections": Rule(ADMIN, "look again at all"),
    "POST /archives/{archive}/retry": Rule(ADMIN, "retry archive"),
    "POST /api/archives/{archive}/retry": Rule(ADMIN, "retry archive"),
    "GET /uploads/rejected": Rule(ADMIN),
    "GET /uploads/rejected/{id}/picture": Rule(ADMIN),
    "POST /uploads/rejected/{id}/take-in": Rule(ADMIN, "take upload in"),
    "POST /uploads/rejected/{id}/delete": Rule(ADMIN, "delete upload"),
    "GET /api/bans": Rule(ADMIN),
    "POST /bans/lift": Rule(ADMIN, "lift bans"),
    "POST /api/bans/lift": Rule(ADMIN, "lift bans"),
    "POST /jobs/{id}/retry": Rule(ADMIN, "retry job"),
    "POST /jobs/{id}/forget": Rule(ADMIN, "forget job"),
    "POST /api/jobs/{id}/retry": Rule(ADMIN, "retry job"),
    "DELETE /api/jobs/{id}": Rule(ADMIN, "forget job"),
    "POST /films": Rule(ADMIN, "film"),
    "POST /films/{id}/delete": Rule(ADMIN, "delete film"),
    "POST /api/films": Rule(ADMIN, "film"),
    "DELETE /api/films/{id}": Rule(ADMIN, "delete film"),
    "POST /api/films/{id}/announce": Rule(ADMIN, "announce film"),
    "POST /api/films/{id}/dates": Rule(ADMIN, "date film"),
    "POST /running-films/{id}/dates": Rule(ADMIN, "date film"),
    "POST /api/outlets/{name}/test": Rule(ADMIN, "test outlet"),
    "GET /api/config/cameras": Rule(ADMIN),
    "GET /api/config/cameras/{name}": Rule(ADMIN),
    "POST /api/config/cameras": Rule(ADMIN, "add camera"),
    "POST /api/config/cameras/test": Rule(ADMIN),
    "PUT /api/config/cameras/{name}": Rule(ADMIN, "change camera"),
    "DELETE /api/config/cameras/{name}": Rule(ADMIN, "delete camera"),
    "GET /rules/new": Rule(ADMIN),
    "POST /rules/new": Rule(ADMIN, "rule"),
    "GET /rules/{name}/edit": Rule(ADMIN),
    "POST /rules/{name}/edit": Rule(ADMIN, "rule"),
    "POST /rules/{name}/delete": Rule(ADMIN, "delete rule"),
    "POST /rules/preview": Rule(ADMIN),
    "POST /rules/settings": Rule(ADMIN, "rules"),
    "POST /api/rules/preview": Rule(ADMIN),
    "PATCH /api/rules": Rule(ADMIN, "rules"),
    "PUT /api/rules/{name}": Rule(ADMIN, "rule"),
    "DELETE /api/rules/{name}": Rule(ADMIN, "delete rule"),
    "PUT /api/cameras/{name}/zones/{zone}": Rule(ADMIN, "zone"),
    "DELETE /api/cameras/{name}/zones/{zone}": Rule(ADMIN, "delete zone"),
    "GET /settings/cameras": Rule(ADMIN),
    "GET /settings/cameras/new": Rule(ADMIN),
    "POST /settings/cameras/new": Rule(ADMIN, "add camera"),
    "GET /settings/cameras/{name}": Rule(ADMIN),
    "POST /settings/cameras/{name}": Rule(ADMIN, "change camera"),
    "POST /settings/cameras/{name}/delete": Rule(ADMIN, "remove camera"),
    "POST /settings/cameras/test": Rule(ADMIN),
    "POST /settings/cameras/seen": Rule(ADMIN),
    "GET /settings/cameras/tried/{id}": Rule(ADMIN),
}
"""`METHOD template` -> what it takes. HEAD is GET."""

UNDECLARED = Rule(ADMIN, "undeclared")

_SNAPSHOT = re.compile(r"(/api)?/snapshots/\{id\}(/.*)?")
_CAMERA = re.compile(r"(/api)?/(cameras|snoozes|snooze)/\{name\}(/.*)?")
_FILM = re.compile(r"(/api)?/films/\{id\}(/.*)?")


def rule_of(method: str, template: str) -> Rule:
    """What this method of this route takes; `template` as in `Route.path_format`."""
    return RULES.get(f"{'GET' if method == 'HEAD' else method} {template}", UNDECLARED)


def named_in(template: str) -> str:
    """What the path names, by which who may see some cameras only is let in: `snapshot`, `camera`, `film`, or empty."""
    for pattern, name in ((_SNAPSHOT, "snapshot"), (_CAMERA, "camera"), (_FILM, "film")):
        if pattern.fullmatch(template):
            return name
    return ""
