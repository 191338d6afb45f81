"""The demo takes the port that is set where nobody has it."""

from __future__ import annotations

import socket

from app.cli.demo import is_free


def test_a_port_is_free_until_somebody_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", port)
