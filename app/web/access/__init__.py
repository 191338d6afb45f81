"""Who may use the web side: this machine freely; others by a password, a session, a token or a signed link."""

from __future__ import annotations

from app.web.access.callers import is_loopback
from app.web.access.guard import Guard
from app.web.access.headers import SecurityHeaders
from app.web.access.login import login_routes
from app.web.access.rules import Access, Visitor
from app.web.access.stack import middleware

__all__ = ["Access", "Guard", "SecurityHeaders", "Visitor", "is_loopback", "login_routes", "middleware"]
