"""The web server's thread: uvicorn with its own event loop, supervised like every other thread."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import structlog
import uvicorn
from starlette.applications import Starlette

from app.web.protocol import Protocol
from pylib.net.limiter import ConnectionLimiter
from pylib.net.listening import listen
from pylib.runtime.threads import ManagedThread

TICK_S = 1.0
"""How often answers get a new date and the supervisor a sign of life."""

log = structlog.get_logger(__name__)


class _Uvicorn(uvicorn.Server):
    """uvicorn that is told when to end, where its own asks itself ten times a second."""

    def __init__(self, config: uvicorn.Config, *, told: asyncio.Event, is_over: Callable[[], bool]) -> None:
        super().__init__(config)
        self._told = told
        self._is_over = is_over

    async def main_loop(self) -> None:
        while not self._is_over():
            await self.on_tick(0)  # what time it is, for answers
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), TICK_S)


class WebServer(ManagedThread):
    """Serves an application on one address until it is stopped."""

    def __init__(
        self,
        application: Starlette,
        *,
        host: str,
        port: int,
        on_stop: Callable[[], None] = lambda: None,
        limiter: ConnectionLimiter | None = None,
        per_address: int = 100,
        proxies: Iterable[str] = (),
    ) -> None:
        """`on_stop`: called once before the server waits for its responses to end, so that endless ones do.

        `limiter`: that of the process; `per_address`: connections from one address, those of `proxies` aside.
        """
        super().__init__("web")
        self._application = application
        self._host = host
        self._port = port
        self._on_stop = on_stop
        self._gate = (limiter or ConnectionLimiter()).gate(
            "web",
            per_address=per_address,
            proxies=proxies,
            remedy="set WEB_TRUSTED_PROXIES if it is a reverse proxy, else WEB_MAX_PER_ADDRESS",
        )
        self._socket: socket.socket | None = None
        self._tell: Callable[[], object] = lambda: None
        """Wakes the loop that runs."""

    def open(self) -> int:
        """Bind the address before anything starts, and return the port (one of the system's choice for 0).

        Raises `pylib.net.listening.AddressInUse`.
        """
        self._socket = listen(self._host, self._port, code="web_address", remedy="set WEB_HOST or WEB_PORT")
        self._port = self._socket.getsockname()[1]
        return self._port

    def stop(self) -> None:
        super().stop()
        with suppress(RuntimeError):  # the loop has ended
            self._tell()

    def run(self) -> None:
        if self._socket is None:
            self.open()
        assert self._socket is not None  # noqa: S101 - `open` raises or sets it
        # A copy of the socket, so that this thread can be started again after a crash without losing the port.
        with self._gate.guarding(self._socket) as listener:
            asyncio.run(self._serve(listener))
        if self.stopping.is_set():
            self._socket.close()
            self._socket = None

    async def _serve(self, listener: socket.socket) -> None:
        config = uvicorn.Config(
            self._application,
            http=Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            server_header=False,
            # uvicorn would trust every program on this machine; see app/web/access/client_address.py
            proxy_headers=False,
        )
        told = asyncio.Event()
        self._tell = partial(asyncio.get_running_loop().call_soon_threadsafe, told.set)
        await _Uvicorn(config, told=told, is_over=self._is_over).serve(sockets=[listener])

    def _is_over(self) -> bool:
        """Whether to stop; what streams has been told so then. A sign of life as well."""
        self.beat()
        if self.stopping.is_set():
            self._on_stop()
        return self.stopping.is_set()
