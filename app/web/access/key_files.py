"""The web side's secrets on disk, read completely or not at all, and the key that signs everything."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path

from pylib.errors import Permanent
from pylib.files import durable

KEY_BYTES = 32
LARGEST_FILE = 1_000_000


class BrokenFile(Permanent):
    """A file of the web side's folder cannot be used; the detail names it and the next step."""

    def __init__(self, path: Path, problem: str, *, remedy: str) -> None:
        super().__init__("web_folder", f"{path} {problem}: {remedy}")


def load_key(path: Path) -> bytes:
    """The key of this installation, made when there is none: one for all that share the folder. Raises `BrokenFile`."""
    content = read(path)
    if content is None:
        _write(path, secrets.token_bytes(KEY_BYTES), durable.write_first)
        content = read(path)
    if content is None or len(content) != KEY_BYTES:
        raise BrokenFile(
            path, "is no key", remedy="delete it to have one made, which ends all sessions and signed links"
        )
    return content


def derived(key: bytes, purpose: bytes) -> bytes:
    """A key for one purpose: a signature for one is worthless for another."""
    return hmac.new(key, purpose, hashlib.sha256).digest()


def read(path: Path) -> bytes | None:
    """A file's content, or None when there is none. Raises `BrokenFile`."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenFile(
            path, f"cannot be read ({error.strerror})", remedy="give it to the user that the service runs as"
        ) from error
    if len(content) > LARGEST_FILE:
        raise BrokenFile(path, "is far too large", remedy="restore or delete it")
    return content


def write(path: Path, content: bytes) -> None:
    """Replace a file that only its owner can read. Raises `BrokenFile`."""
    _write(path, content, durable.write_private)


def _write(path: Path, content: bytes, how: Callable[[Path, bytes], None]) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        how(path, content)
    except OSError as error:
        raise BrokenFile(
            path, f"cannot be written ({error.strerror})", remedy="give its folder to the user that the service runs as"
        ) from error
