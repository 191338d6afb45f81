"""Who may use the web side: this machine freely; others by a password, a session, a token or a signed link."""

from __future__ import annotations

from app.web.access.authentication import Authentication
from app.web.access.caller import AuthMethod
from app.web.access.client_address import is_loopback
from app.web.access.guard import Guard
from app.web.access.headers import SecurityHeaders
from app.web.access.login import login_routes
from app.web.access.middleware import middleware

__all__ = ["AuthMethod", "Authentication", "Guard", "SecurityHeaders", "is_loopback", "login_routes", "middleware"]
