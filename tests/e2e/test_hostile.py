"""Nonsense to every port costs the others nothing: the service answers, keeps its size, and takes the next picture."""

from __future__ import annotations

import pytest

from tests.broker import free_ports
from tests.e2e.conftest import Launch
from tests.e2e.peers import Consumer, House
from tests.e2e.process import until
from tests.e2e.pushing import PASSWORD, USER, Pushed, picture
from tests.hostile.watch import attack, resident, watching

EVERY = 24
"""Here only some of the attacks; `make bench ARGS="--only hostile"` sends all of them."""
GROWTH_MB = 30


@pytest.mark.long
def test_nonsense_at_every_port_is_borne(launch: Launch, house: House) -> None:
    (port,) = free_ports(1)
    mail = {"enabled": True, "host": "127.0.0.1", "port": port, "open_networks": ["127.0.0.0/8"]}
    hooks = [{"name": "yard", "camera": "yard", "when": {"never": True}}]
    pushed = Pushed(launch, house, "Yard", mail=mail, hooks=hooks).start()
    service = pushed.service
    ports = {"web": service.port, "ftp": pushed.port, "mail": port}
    attack(**ports, login=f"{USER}:{PASSWORD}", every=100)  # what is loaded and made by the first of a kind
    before = resident(service.pid)
    with watching(service.port) as seen:
        attack(**ports, login=f"{USER}:{PASSWORD}", every=EVERY)
    until(pushed.idle, what="nothing left to do")
    assert seen.refused == []
    assert len(seen.took) > 10
    assert resident(service.pid) - before < GROWTH_MB
    with Consumer(house) as consumer:
        pushed.push("Yard", "after.jpg", picture("after all"))
        until(lambda: consumer.of("Yard Camera"), what="the event of a picture that came afterwards")
