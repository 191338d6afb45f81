"""Static files under a hash of their content, so that browsers may cache them for ever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from app.web.errors import NotFound

FOLDERS = {"": Path(__file__).parent / "static", "booth/": Path(__file__).parents[1] / "booth/static"}
"""What begins a file's name -> where it lies."""

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
"""The types that browsers need, whatever the machine's own table has."""

FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _AssetFile:
    content: bytes
    packed: bytes
    media_type: str


class Assets:
    """The files of `FOLDERS`, in memory, compressed once."""

    def __init__(self) -> None:
        paths = {
            begin + path.relative_to(folder).as_posix(): path
            for begin, folder in FOLDERS.items()
            for path in folder.rglob("*")
            if path.suffix in TYPES
        }
        self._files = {name: _load(path) for name, path in sorted(paths.items())}
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(name.encode() + b"\0" + file.content + b"\0")
        self.version = digest.hexdigest()[:12]

    def path(self, name: str) -> str:
        """Where the file of this name is served. Raises `KeyError` for an unknown one."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    async def serve(self, request: Request) -> Response:
        """The file. Under another version's address it is the current one, uncached: that page is older than we are."""
        current = request.path_params["version"] == self.version
        return self.response(request, request.path_params["name"], caching=FOR_EVER if current else "no-cache")

    def response(self, request: Request, name: str, *, caching: str) -> Response:
        """Raises `NotFound`."""
        file = self._files.get(name)
        if file is None:
            raise NotFound("unknown_file", f"no file {name!r}")
        headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
        if not file.packed or "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(file.content, headers=headers, media_type=file.media_type)
        return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type)


def _load(path: Path) -> _AssetFile:
    content = path.read_bytes()
    packed = b"" if path.suffix == ".png" else gzip.compress(content, mtime=0)
    return _AssetFile(content, packed, TYPES[path.suffix])
