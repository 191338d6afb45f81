"""What lies in the upload area and is no upload: the litter of NAS systems, PCs and synchronisers, left where it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from pathlib import PurePath

LITTER = (
    *("@eaDir", "#recycle", "#snapshot", "@tmp"),  # Synology
    *("@Recycle", "@Recently-Snapshot", ".@__thumb", ".@upload_cache"),  # QNAP
    *(".DS_Store", "._*", ".AppleDouble", ".AppleDB", ".AppleDesktop", ".Spotlight-V100", ".TemporaryItems"),
    *(".Trashes", ".fseventsd", ".apdisk", "Network Trash Folder", "Temporary Items"),  # macOS
    *("Thumbs.db", "ehthumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information"),  # Windows
    *(".Trash-*", "lost+found", ".nfs*", ".fuse_hidden*", ".smbdelete*"),  # Linux
    *(".stfolder", ".stversions", ".syncthing.*", "~syncthing~*"),  # Syncthing
)


class IgnoredNames:
    """Patterns of names of files and folders, with `*` and `?`, in any case."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._pattern = re.compile("|".join(translate(pattern) for pattern in patterns) or "(?!)", re.IGNORECASE)

    def __contains__(self, name: object) -> bool:
        """Whether a file or folder of this name is one of them."""
        return self._pattern.match(str(name)) is not None

    def holds(self, path: PurePath) -> bool:
        """Whether a file of this path is one of them, or lies in one."""
        return any(part in self for part in path.parts)
