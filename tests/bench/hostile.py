"""How a service answers while it is attacked, beside how it answers undisturbed."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.processes import free_port, locations
from tests.bench.report import Row, ms
from tests.bench.rows import Bench, detector
from tests.hostile.watch import attack, resident, watching

USER, PASSWORD = "camera", "secret"


def attacked(bench: Bench) -> Iterator[Row]:
    """Every kind of nonsense to each port, header, field and file; `/health/live` is asked meanwhile."""
    ports = {"ftp": free_port(), "mail": free_port()}
    config = {
        "ftp": {"port": ports["ftp"], "host": "127.0.0.1", "username": USER, "password": PASSWORD},
        "hooks": [{"name": "yard", "camera_from": "camera"}],
        "mail": {"enabled": True, "host": "127.0.0.1", "port": ports["mail"], "open_networks": ["127.0.0.0/8"]},
    }
    (place,) = locations(1)
    with detector() as port:
        cameras = {place: bench.address(place)}
        with bench.running("hostile", cameras, detector=port, config=config) as (process, _):
            login = f"{USER}:{PASSWORD}"
            attack(web=process.web, **ports, login=login, every=100)
            before = resident(process.pid)
            began = time.monotonic()
            with watching(process.web) as seen:
                sent = attack(web=process.web, **ports, login=login, every=4 if bench.quick else 1)
            seconds = time.monotonic() - began
            grown = resident(process.pid) - before
            with watching(process.web) as undisturbed:
                time.sleep(min(seconds, 60))
    slowest, usual = max(seen.took), max(undisturbed.took)
    yield Row(
        f"slowest answer of /health/live during {sent} attacks in {seconds:.0f} s (alone: slowest undisturbed)",
        ms(slowest),
        ms(usual),
        f"{slowest / usual:.1f}",
        "5, and 100 ms",
        slowest <= 5 * usual and slowest < 0.1 and not seen.refused,
    )
    yield Row("resident memory added by them", f"{grown:.0f} MB", "", "", "30 MB", grown < 30)
