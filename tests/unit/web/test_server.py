"""The web server's thread."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from app.web.server import WebServer
from pylib.net.listening import AddressInUse
from tests.fakes.web import serving


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with serving(Starlette()) as client, pytest.raises(AddressInUse, match="set WEB_HOST or WEB_PORT"):
        WebServer(Starlette(), host="127.0.0.1", port=client.port).open()
