"""Publishers as outlets: how many at once, and who stores the thumbnails that messages lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from app import publishers
from app.bootstrap.archives import ArchiveParts
from app.bootstrap.core import Core
from app.bootstrap.publishing import PublisherParts
from app.config.settings import load
from app.messages import Inspection
from app.publishers import Link, PublisherContext, PublishError, PublishUnavailable
from app.publishers.thumbnails.settings import ThumbnailsSettings
from pylib.runtime.circuit_breaker import State
from pylib.runtime.threads import ManagedThread
from tests.fakes.messages import an_event

LINK = Link("https://bucket.example/a.jpg", datetime(2026, 3, 5, tzinfo=UTC))


class Storing:
    """Stores every thumbnail at once."""

    title = "thumbnails"
    notifies = False
    Settings = ThumbnailsSettings
    threads: Sequence[ManagedThread] = ()
    abandon_after: Mapping[str, float] = MappingProxyType({})

    def __init__(self, settings: ThumbnailsSettings, context: PublisherContext) -> None:
        if settings.region == "nowhere":
            raise PublishError("wrong_region", "There is no such region.")
        self.name = context.name
        self.concurrency = settings.concurrency
        self.max_pixels = context.max_pixels

    def publish(self, _: Inspection) -> None:
        """Nothing is left to do."""

    def stored(self, inspection: Inspection) -> Link | None:
        return replace(LINK, url=f"{LINK.url}?{self.name}&{inspection.id[-1]}")


@pytest.fixture(autouse=True)
def storing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(publishers.KINDS, "thumbnails", f"{__name__}:Storing")


def parts(tmp_path: Path, **environ: str) -> PublisherParts:
    given = {"PUBLISHER_1_KIND": "thumbnails", "PUBLISHER_1_NAME": "small", "PUBLISHER_1_CONCURRENCY": "3"}
    core = Core.of(load(None, {"DATA_DIR": str(tmp_path / "data"), **given, **environ}), version="1")
    return PublisherParts(
        core,
        archives=ArchiveParts(core),
        links=PublisherContext(),
        circuit=lambda _: State.CLOSED,
        this_month=lambda: (0, 0.0),
        recheck=lambda _: None,
    )


def test_one_that_needs_no_order_is_called_by_as_many_as_it_wants_and_others_by_one(tmp_path: Path) -> None:
    broker = {"RABBITMQ_SERVER_ADDRESS": "127.0.0.1:9"}
    assert [outlet.workers for outlet in parts(tmp_path, **broker).outlets] == [1, 3]


def test_a_link_comes_from_the_outlet_that_is_named(tmp_path: Path) -> None:
    made = parts(tmp_path, PUBLISHER_2_KIND="thumbnails", PUBLISHER_2_NAME="large", RABBITMQ_SERVER_ADDRESS="x")
    stored = made._context.stored_thumbnail
    assert stored("large", an_event(7)) == replace(LINK, url=f"{LINK.url}?large&7")
    assert stored("rabbitmq", an_event(7)) is None
    assert stored("nobody", an_event(7)) is None


def test_pictures_as_large_as_the_settings_allow_get_thumbnails(tmp_path: Path) -> None:
    (small,) = parts(tmp_path, MAX_PIXELS="123456").publishers
    assert isinstance(small, Storing)
    assert small.max_pixels == 123456


def test_messages_wait_for_an_outlet_of_thumbnails_that_cannot_be_used(tmp_path: Path) -> None:
    made = parts(tmp_path, PUBLISHER_1_REGION="nowhere")
    assert [outlet.workers for outlet in made.outlets] == [1]
    with pytest.raises(PublishUnavailable, match="There is no such region"):
        made._context.stored_thumbnail("small", an_event())
