"""What every answer tells the browser, also a refusal and an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.web.access.headers import SecurityHeaders
from app.web.site import Site
from tests.fakes.access import PASSWORD, Home
from tests.fakes.asgi import ask

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; "
    "form-action 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ME = ("authorization", f"Bearer {PASSWORD.encode().decode('latin-1')}")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize("path", ["/", "/login", "/health/live", "/nothing-here"])
@pytest.mark.parametrize("headers", [[], [ME]])
def test_every_answer_forbids_what_our_pages_do_not_need(home: Home, path: str, headers: list[tuple[str, str]]) -> None:
    said = ask(home.app, path, headers=headers).headers
    assert said["content-security-policy"] == POLICY
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "same-origin"
    assert said["cross-origin-opener-policy"] == "same-origin"
    assert said["cross-origin-resource-policy"] == "same-origin"
    assert said["cache-control"] == "private, no-store"
    assert "camera=()" in said["permissions-policy"]
    assert "strict-transport-security" not in said


def test_a_picture_runs_nothing_whatever_it_really_is(home: Home) -> None:
    said = ask(home.app, "/api/snapshots/s1/image", headers=[ME]).headers
    assert said["content-security-policy"] == "sandbox; default-src 'none'"
    assert said["cross-origin-resource-policy"] == "same-origin"


def test_a_picture_by_its_link_may_be_shown_elsewhere(home: Home) -> None:
    said = ask(home.app, f"/api/snapshots/s1/image?{home.links.sign('s1', 'image', seconds=9)}").headers
    assert said["cross-origin-resource-policy"] == "cross-origin"


def test_what_a_route_says_of_caching_stands() -> None:
    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("", headers={"Cache-Control": "public, immutable", "X-Frame-Options": "ALLOW"})(
            scope, receive, send
        )

    said = ask(SecurityHeaders(route, site=Site("https://home.example"))).headers
    assert said["cache-control"] == "public, immutable"
    assert said.getlist("x-frame-options") == ["DENY"]
    assert said["strict-transport-security"].startswith("max-age=")
