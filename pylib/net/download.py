"""Loads a file over HTTPS that is known by its digest: resumable, and complete and right or not there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from pylib.errors import Permanent, Transient
from pylib.files import durable

if TYPE_CHECKING:
    import requests

MAX_REDIRECTS = 5
_CHUNK = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)


class DownloadBroken(Transient):
    """The other side cannot be reached, or the connection broke; what came is kept for the next time."""


class DownloadRefused(Permanent):
    """This will not do: an answer that is no file, or a file that is another one."""


def download(
    url: str,
    path: Path,
    *,
    sha256: str,
    session: requests.Session,
    max_bytes: int,
    timeout: float,
    progress: Callable[[int, int], None] = lambda _have, _all: None,
    check: Callable[[Path], object] = lambda _part: None,
) -> None:
    """Load what has this SHA-256 (hex) into a file, by way of `<path>.part`, which a broken one goes on with.

    `max_bytes`: more is not taken. `timeout`: seconds for the connection, and for each pause. `progress` hears how many
    bytes are there, and of how many; 0 where that is not known. `check`: as `take` has it.
    Raises `DownloadBroken`, `DownloadRefused` or OSError.
    """
    part = path.with_name(path.name + durable.PARTIAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    _fetch(url, part, session=session, max_bytes=max_bytes, timeout=timeout, progress=progress)
    take(part, path, sha256=sha256, source=urlsplit(url).hostname or "it", check=check)


def take(
    part: Path, path: Path, *, sha256: str, source: str, check: Callable[[Path], object] = lambda _part: None
) -> None:
    """Give a file its name when it is what it should be; delete it when it is not.

    `check` gets it before it has its name, and prevents that by raising. Raises `DownloadRefused` or OSError.
    """
    try:
        _require(part, sha256, source)
        check(part)
    except BaseException:
        part.unlink()
        raise
    part.replace(path)
    durable.sync_folder(path.parent)


def _require(part: Path, sha256: str, source: str) -> None:
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    if found != sha256.lower():
        raise DownloadRefused("wrong_file", f"{source} gave another file (SHA-256 {found}): nothing of it is kept")


def _fetch(
    url: str,
    part: Path,
    *,
    session: requests.Session,
    max_bytes: int,
    timeout: float,
    progress: Callable[[int, int], None],
) -> None:
    import requests

    have = part.stat().st_size if part.exists() else 0
    host: str | None = "the address"
    try:
        host = urlsplit(url).hostname
        wanted = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with _answer(url, session, timeout, wanted) as answer:
            if answer.status_code == 416:  # all of it is there
                return
            if answer.status_code not in (200, 206):
                raise DownloadRefused("refused", f"{host} answers {answer.status_code} for {urlsplit(url).path}")
            goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            have = have if goes_on else 0
            length = answer.headers.get("Content-Length", "")
            whole = have + int(length) if length.isdecimal() else 0
            with part.open("ab" if goes_on else "wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    have += len(chunk)
                    if have > max_bytes:
                        raise _too_large(part, host, max_bytes)
                    file.write(chunk)
                    progress(have, whole)
            if have < whole:
                raise DownloadBroken("broken_off", f"{host} broke off after {have} of {whole} bytes")
    except requests.RequestException as error:
        raise DownloadBroken("unreachable", f"{host} cannot be reached: {type(error).__name__}") from None
    except ValueError:
        raise DownloadRefused("refused", f"{host} has, or answers with, an address or a length that is none") from None


def _too_large(part: Path, host: str | None, max_bytes: int) -> DownloadRefused:
    part.unlink()
    return DownloadRefused("wrong_file", f"{host} sends more than the {max_bytes} bytes expected")


def _answer(url: str, session: requests.Session, timeout: float, headers: dict[str, str]) -> requests.Response:
    """The answer behind all redirects, each of which has to lead to https."""
    place = url
    for _ in range(MAX_REDIRECTS + 1):
        if urlsplit(place).scheme != "https":
            raise DownloadRefused("no_https", f"{urlsplit(place).hostname or 'an address'} is asked by https only")
        answer = session.get(place, stream=True, timeout=timeout, allow_redirects=False, headers=headers)
        if answer.status_code not in _REDIRECTS:
            return answer
        answer.close()
        place = urljoin(place, answer.headers.get("Location", ""))
    raise DownloadRefused("refused", f"{urlsplit(url).hostname} redirects more than {MAX_REDIRECTS} times")
