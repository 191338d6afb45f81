"""Packages of the distribution that tests need, installed when they are missing and that is allowed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")


def install(*packages: str) -> None:
    """Install packages of Debian or Ubuntu without letting them start services; nothing where we may not.

    Whether it worked is for the caller to see: by what it needs being there.
    """
    sudo = _privilege()
    if sudo is None or not shutil.which("apt-get"):
        return
    print(f"installing {' '.join(packages)} for the tests ...", file=sys.stderr)
    with _turn():
        _install(sudo, packages)


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Other workers of this run wait: the first one's guard has to stand until all is installed."""
    with (Path(tempfile.gettempdir()) / f"snapshot-test-packages-{os.geteuid()}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(sudo: list[str], packages: Sequence[str]) -> None:
    guard = not POLICY.exists()
    if guard:  # Debian's policy layer: 101 forbids maintainer scripts to start services
        script = f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}"
        subprocess.run([*sudo, "sh", "-c", script], check=True)
    # Another run may be installing at this very moment.
    apt = [
        *sudo,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-o",
        "DPkg::Lock::Timeout=300",
        "-qq",
        "-y",
    ]
    try:
        subprocess.run([*apt, "update"], check=False, stdout=sys.stderr)
        subprocess.run([*apt, "install", "--no-install-recommends", *packages], check=False, stdout=sys.stderr)
    finally:
        if guard:
            subprocess.run([*sudo, "rm", "-f", str(POLICY)], check=True)


def require(**commands: str) -> None:
    """Make sure of commands, given with the package that brings each: `lftp="lftp", ncftpput="ncftp"`.

    Raises RuntimeError with one line that says what to install.
    """
    missing = [command for command in commands if not shutil.which(command)]
    if missing:
        install(*(commands[command] for command in missing))
    missing = [command for command in commands if not shutil.which(command)]
    if missing:
        packages = " ".join(sorted({commands[command] for command in missing}))
        raise RuntimeError(f"the tests need {', '.join(missing)}: install {packages} (Debian, Ubuntu: apt-get)")


def _privilege() -> list[str] | None:
    """What to put before a command to run it as root; None when we may not."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None
