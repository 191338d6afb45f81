"""Faults of the detector and of outlets: what is well goes on meanwhile, and is measured."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.e2e.archive_faults import remote_s3
from tests.e2e.process import until
from tests.faults import mishaps
from tests.faults.fault import Fault, Measured, Setting, since
from tests.faults.stand import Stand, stand
from tests.postgres import PostgresServer
from tests.simulators.line import Line

ARCHIVE_BACK_S = 330.0
"""An archive that is away is tried at most every five minutes."""
EVERY_S = 0.1
BACK_AT_LAST_S = 900.0


def detecting(tried: Stand) -> bool:
    """Whether what is triggered now is looked at."""
    (sent,) = tried.pace(1)
    tried.await_told([sent])
    return all(event.entry["detector"] and not event.entry["problem"] for event in tried.consumer.about(sent))


def phoned(tried: Stand) -> bool:
    """Whether the webhook has what everybody has."""
    return {event.message_id for event in tried.consumer.latest} <= tried.phone.told.keys()


def beside(mishap: mishaps.Mishap, *, well: Callable[[Stand], bool], long_s: float) -> Callable[[Setting], Measured]:
    """It befalls a neighbour of the service; `well` says whether that is over."""

    def run(setting: Setting) -> Measured:
        with stand(setting.folder, setting.broker) as tried:
            return _beside(tried, setting, mishap, well=well, long_s=long_s)

    return run


def _beside(
    tried: Stand, setting: Setting, mishap: mishaps.Mishap, *, well: Callable[[Stand], bool], long_s: float
) -> Measured:
    calm_s = tried.p95(tried.pace(100, every=EVERY_S))
    with mishap(tried):
        during_s = tried.p95(tried.pace(setting.pick(150, int(long_s / EVERY_S)), every=EVERY_S))
    end = time.monotonic()
    until(lambda: well(tried), timeout=BACK_AT_LAST_S, what="all is well again")
    back = since(end)
    return Measured(tried.settle(), back, calm_s, during_s)


def s3_down(setting: Setting) -> Measured:
    """The archive cannot be reached; every picture is there in the end, once."""
    with remote_s3(setting.folder) as remote:
        port = int(remote.environment["S3_ENDPOINT_URL"].rpartition(":")[2])
        with Line(port) as line:
            environment = {**remote.environment, "S3_ENDPOINT_URL": f"http://127.0.0.1:{line.port}"}
            with stand(setting.folder, setting.broker, environment=environment) as tried:

                def archived(tried: Stand) -> bool:
                    return len(remote.files()) == len(tried.consumer.latest)

                measured = _beside(tried, setting, mishaps.cut(line), well=archived, long_s=900)
            assert all(len(files) == 1 for files in remote.files().values()), "a picture is there twice"
            return measured


def table_restarted(setting: Setting) -> Measured:
    """PostgreSQL is away; every event is a row in the end, once."""
    with PostgresServer() as server:
        publisher = {"kind": "postgres", "url": server.url()}
        with stand(setting.folder, setting.broker, publishers=[publisher]) as tried:

            def written(tried: Stand) -> bool:
                ((rows,),) = server.ask("SELECT count(*) FROM snapshots")
                return bool(rows == len(tried.consumer.latest))

            return _beside(tried, setting, mishaps.stopped(server), well=written, long_s=300)


FAULTS = {
    "throttled": Fault(
        "Rekognition throttles 30 % of all calls", beside(mishaps.detector_throttled, well=detecting, long_s=900)
    ),
    "detector-down": Fault("Rekognition down", beside(mishaps.detector_away, well=detecting, long_s=900)),
    "webhook-refuses": Fault("a webhook answers 503", beside(mishaps.phone_refuses, well=phoned, long_s=300)),
    "webhook-silent": Fault("a webhook never answers", beside(mishaps.phone_silent, well=phoned, long_s=60)),
    "table-down": Fault("PostgreSQL down", table_restarted),
    "s3-down": Fault("S3 down", s3_down, back_within_s=ARCHIVE_BACK_S),
}
