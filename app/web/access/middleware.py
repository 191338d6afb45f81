"""The middleware before the routes, outermost first."""

from __future__ import annotations

from starlette.middleware import Middleware

from app.web.access.authentication import Authentication
from app.web.access.guard import Guard
from app.web.access.headers import SecurityHeaders
from app.web.links import Links
from app.web.site import Prefix


def middleware(access: Authentication, links: Links, *, sends_to: str = "") -> list[Middleware]:
    """For an application whose routes are below the site's prefix; `sends_to` as `SecurityHeaders` takes it."""
    return [
        Middleware(SecurityHeaders, site=access.site, sends_to=sends_to),
        Middleware(Prefix, site=access.site),
        Middleware(Guard, access=access, links=links),
    ]
