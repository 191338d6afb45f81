"""Whether the buckets of a source can be listed and read, found out by calls that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from app.sources import Found
from app.sources.buckets.reading import ObjectStore
from app.sources.buckets.settings import BucketSourceSettings


def check(settings: BucketSourceSettings) -> Iterator[Found]:
    """What is there of each bucket. Raises `app.pipeline.collect.ObjectUnavailable`."""
    store = ObjectStore(settings)
    try:
        for watched in settings.buckets:
            yield Found(store.probe(watched))
    finally:
        store.close()
