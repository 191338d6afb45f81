"""The web server's thread."""

from __future__ import annotations

import pytest
import requests
from starlette.applications import Starlette

from app.web.server import WebServer
from pylib.net.listening import AddressInUse
from tests.fakes.web import serving


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with serving(Starlette()) as client, pytest.raises(AddressInUse, match="set WEB_HOST or WEB_PORT"):
        WebServer(Starlette(), host="127.0.0.1", port=client.port).open()


def test_one_that_nobody_asks_anything_is_woken_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.server.TICK_S", 3600)
    stopped: list[str] = []
    server = WebServer(Starlette(), host="127.0.0.1", port=0, on_stop=lambda: stopped.append("streams"))
    port = server.open()
    server.start()
    assert "GMT" in requests.get(f"http://127.0.0.1:{port}/", timeout=30).headers["date"]
    server.stop()
    assert server.join(30)
    assert stopped == ["streams"]
    server.stop()
