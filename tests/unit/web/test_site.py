"""Where people reach the album, with a proxy's path or without."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.web.site import Prefix, Site


def seen(public_url: str, path: str) -> dict[str, Any]:
    """The scope behind the middleware."""
    scopes: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    scope = {"type": "http", "path": path, "root_path": ""}
    asyncio.run(Prefix(app, site=Site(public_url))(scope, None, None))  # type: ignore[arg-type]
    return dict(scopes[0])


def test_a_public_address_is_taken_apart() -> None:
    site = Site("https://user@Home.example:8443/cameras/")
    assert (site.prefix, site.host, site.https) == ("/cameras", "home.example", True)
    assert site.origin == "https://home.example:8443"
    assert site.path("/login") == "/cameras/login"
    assert Site("https://home.example/cameras").url("/snapshots/s1") == "https://home.example/cameras/snapshots/s1"


def test_without_one_links_are_paths() -> None:
    site = Site()
    assert (site.prefix, site.host, site.https, site.origin) == ("", "", False, "")
    assert site.url("/login") == site.path("/login") == "/login"


@pytest.mark.parametrize(
    ("path", "behind"),
    [
        ("/cameras", "/"),
        ("/cameras/", "/"),
        ("/cameras/api/events", "/api/events"),
        ("/cameras/cameras/front", "/cameras/front"),
        ("/api/events", "/api/events"),
        ("/", "/"),
        ("/camerasque", "/camerasque"),
        ("//cameras/api", "//cameras/api"),
        ("/cameras//api", "//api"),
    ],
)
def test_the_prefix_is_taken_off_once_if_it_is_there(path: str, behind: str) -> None:
    scope = seen("https://home.example/cameras", path)
    assert (scope["path"], scope["root_path"]) == (behind, "")


def test_without_a_prefix_the_path_stays_as_it_is() -> None:
    assert seen("https://home.example", "/cameras")["path"] == "/cameras"
