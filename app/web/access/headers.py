"""Security headers: they forbid our pages nearly everything that browsers allow."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.site import Site


def page_policy(*, sends_to: str = "") -> str:
    """For our pages. `sends_to`: the address besides ours that scripts may send to; empty for none."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        f"connect-src {' '.join(filter(None, (SELF, sends_to)))}; "
        "form-action 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


SELF = "'self'"
PICTURE_POLICY = "sandbox; default-src 'none'"
"""For content from outside: opened on its own, it runs nothing, whatever it really is."""

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NO_DEVICES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
CAMERA = NO_DEVICES.replace("camera=()", "camera=(self)")
"""The `Permissions-Policy` of the one page that uses the camera."""
HSTS = "max-age=31536000"


class SecurityHeaders:
    """ASGI middleware, the outermost, so that rejections have them, too."""

    def __init__(self, app: ASGIApp, *, site: Site, sends_to: str = "") -> None:
        """`sends_to`: the address besides ours that our pages' scripts may send to."""
        self._app = app
        self._page_policy = page_policy(sends_to=sends_to)
        self._always = {**ALWAYS, **({"Strict-Transport-Security": HSTS} if site.https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), by_link=state.get("auth_method") == "link")
            await send(message)

        await self._app(scope, receive, send_with)

    def _add(self, headers: MutableHeaders, *, by_link: bool) -> None:
        for name, value in self._always.items():
            headers[name] = value
        is_picture = headers.get("content-type", "").startswith("image/")
        headers["Content-Security-Policy"] = PICTURE_POLICY if is_picture else self._page_policy
        # A signed link's picture may be shown on any page; other pictures on ours only.
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if by_link else "same-origin"
        headers.setdefault("Permissions-Policy", NO_DEVICES)
        headers.setdefault("Cache-Control", "private, no-store")
