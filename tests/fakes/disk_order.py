"""What is asked of a disk, in its order: what a power cut leaves depends on nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def recorded(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[str]:
    """From now on each step below `root`, which is done as well, in words and with paths from there.

    `mkdir a`, `rename a to b`, `link a to b`, `unlink a`, `sync a (9 bytes)` for a file, `sync a` for a folder.
    """
    steps: list[str] = []

    def below(path: Any) -> str:
        return Path(path).resolve().relative_to(root).as_posix() if Path(path).is_absolute() else str(path)

    def watch(name: str, words: Callable[..., str]) -> None:
        real = getattr(os, name)

        def instead(*args: Any, **kwargs: Any) -> Any:
            step = words(*args)
            result = real(*args, **kwargs)
            steps.append(step)  # not before: it may have failed
            return result

        monkeypatch.setattr(os, name, instead)

    def synced(descriptor: int) -> str:
        status = os.fstat(descriptor)
        size = f" ({status.st_size} bytes)" if stat.S_ISREG(status.st_mode) else ""
        return f"sync {below(os.readlink(f'/proc/self/fd/{descriptor}'))}{size}"  # noqa: PTH115

    for name in ("fsync", "fdatasync"):
        watch(name, synced)
    for name in ("rename", "replace"):
        watch(name, lambda source, target: f"rename {below(source)} to {below(target)}")
    watch("link", lambda source, target: f"link {below(source)} to {below(target)}")
    watch("unlink", lambda path: f"unlink {below(path)}")
    watch("mkdir", lambda path, _mode=0o777: f"mkdir {below(path)}")
    return steps
