"""Moving files so that they are always whole, in the one place or in the other."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path


def move(source: Path, target: Path) -> None:
    """Rename a file, or copy it where source and target are on different devices; `target` is replaced.

    A crash leaves it whole in at least one of the two places. Raises OSError.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy = target.with_name(f"{target.name}.part")
        shutil.copy2(source, copy, follow_symlinks=False)
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        copy.rename(target)
        source.unlink()
