"""A camera that a command asks: what it writes to its standard output is the picture."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.cameras import CameraError, CameraRejected, CameraSettings, CameraUnavailable, Frame
from app.cameras.address import Networks

CODES = {
    "no_command": (
        "The camera's command cannot be run.",
        "install it, or correct the first word of this camera's `argv`; the service's user must be allowed to run it",
    ),
    "command_failed": (
        "The camera's command ended with an error.",
        "run it by hand as the service's user, and look at what it says",
    ),
    "timeout": (
        "The camera's command did not end in time.",
        "run it by hand and see how long it takes; raise this camera's `timeout` if it is only slow",
    ),
    "empty": (
        "The camera's command wrote nothing.",
        "have it write the picture to its standard output: with many, by `-o -`",
    ),
}
"""Code -> what happened, and what to do about it; those of every camera stand in `app/cameras/http`."""

INHERITED = ("PATH", "HOME", "TZ")
"""Variables that a command gets; others may hold the service's passwords."""
PIECE = 65_536
LOOK_S = 0.1
"""Seconds of silence after which it is looked whether the program has ended."""
LAST_S = 1.0
"""Seconds for a process to go after it was killed."""


class CommandSettings(CameraSettings):
    """A command that writes a picture to its standard output."""

    model_config = ConfigDict(hide_input_in_errors=True)  # an argument may be a password

    kind: Literal["command"] = "command"
    argv: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        repr=False,
        description="The program and its arguments, as they are: no shell reads them. In the environment, with commas"
        " between them.",
    )


class Command:
    """One command."""

    Settings = CommandSettings

    def __init__(self, settings: CommandSettings, *, networks: Networks) -> None:
        del networks  # only for cameras that have an address
        self._settings = settings
        self._name = os.path.basename(settings.argv[0])  # noqa: PTH119 - the other words may be secret

    def snapshot(self, device_params: str | None = None) -> Frame:
        """Run it once. What it started in its process group ends with it."""
        del device_params  # a trigger never decides what is run
        deadline = time.monotonic() + self._settings.timeout
        process = self._started()
        try:
            data = self._output(process, deadline)
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            text = f"{self._name} did not end within {self._settings.timeout:g} s"
            raise CameraUnavailable("timeout", text) from None
        finally:
            _end(process)
        if status:
            raise CameraUnavailable("command_failed", f"{self._name} ended {_ended(status)}")
        if not data:
            raise CameraUnavailable("empty", f"{self._name} wrote nothing to its standard output")
        return Frame(data)

    def close(self) -> None:
        """Nothing is held."""

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - what to run is the operator's decision
                self._settings.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # it may quote a password
                env={"LANG": "C.UTF-8", **{name: os.environ[name] for name in INHERITED if name in os.environ}},
                start_new_session=True,  # a group of its own, so that what it starts can be ended as well
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "a zero byte in it"
            raise CameraRejected("no_command", f"{self._name} cannot be run: {reason}") from None

    def _output(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        """All that it writes, up to the limit. Raises TimeoutError, `CameraError`.

        Once it has ended, what it left behind with the pipe open is not waited for.
        """
        assert process.stdout is not None  # noqa: S101 - a pipe
        data = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                if not selector.select(min(left, LOOK_S)):
                    if process.poll() is not None:
                        return bytes(data)
                    continue
                piece = os.read(process.stdout.fileno(), PIECE)
                if not piece:
                    return bytes(data)
                data += piece
                if len(data) > self._settings.max_bytes:
                    raise self._too_large()
        raise TimeoutError

    def _too_large(self) -> CameraError:
        text = f"{self._name} wrote more than the {self._settings.max_bytes} bytes allowed"
        return CameraUnavailable("too_large", text)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill its group, where something of it is left, and forget it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(LAST_S)
    if process.stdout is not None:
        process.stdout.close()


def _ended(status: int) -> str:
    if status > 0:
        return f"with status {status}"
    with suppress(ValueError):
        return f"by {signal.Signals(-status).name}"
    return f"by signal {-status}"
