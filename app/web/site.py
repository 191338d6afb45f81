"""The album's public address, and the path that a reverse proxy gives it."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send


class Site:
    """The public address in parts; without one the album is at the root of whatever address is used."""

    def __init__(self, public_url: str = "") -> None:
        """`public_url`: http or https, such as `https://home.example/cameras`; empty when it is not known."""
        self._public_url = public_url.rstrip("/")
        context = urlsplit(self._public_url)
        self.prefix = context.path
        """Begins every path that we send; empty, or like `/cameras`."""
        self.host = context.hostname or ""
        """In small letters, without a port; empty when it is not known."""
        self.origin = f"{context.scheme}://{context.netloc.rpartition('@')[2].lower()}" if context.netloc else ""
        """As browsers name it; empty when it is not known."""
        self.https = context.scheme == "https"

    def path(self, path: str) -> str:
        """A path of ours, such as `/login`, as a browser has to request it."""
        return self.prefix + path

    def url(self, path: str) -> str:
        """The same for people elsewhere: absolute, as far as the public address is known."""
        return self._public_url + path


class Prefix:
    """ASGI middleware that takes the prefix off the path; a proxy may have done so before.

    Behind it guard and routing both use `scope["path"]`: `root_path` is empty, because with it
    Starlette would look for the prefix a second time, and `/cameras/cameras` become `/`.
    """

    def __init__(self, app: ASGIApp, *, site: Site) -> None:
        self._app = app
        self._prefix = site.prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._prefix and scope["type"] == "http":
            path, begin = scope["path"], self._prefix
            if path == begin or path.startswith(f"{begin}/"):
                path = path.removeprefix(begin) or "/"
            scope = {**scope, "path": path, "root_path": "", "app_root_path": begin}
        await self._app(scope, receive, send)
