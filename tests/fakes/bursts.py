"""Pictures that differ as those of a burst do, and bursts in a journal."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

from app.journal import Journal, Medium
from app.messages import Burst, Look, Snapshot
from app.storage.cache import Cache
from app.storage.event_media import EventMedia

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def walker(step: int, *, blur: int = 1, format: str = "JPEG") -> bytes:
    """A garden with somebody who is `step` steps into it; `blur` makes it that much less sharp."""
    image = Image.new("RGB", (320, 180), "seagreen")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 320, 60), fill="skyblue")
    draw.rectangle((20 + 25 * step, 70, 45 + 25 * step, 150), fill="maroon")
    if blur > 1:
        image = image.resize((320 // blur, 180 // blur)).resize((320, 180))
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


def taken(
    journal: Journal, cache: Cache, media: EventMedia, *frames: bytes, look: Look = "all", event_id: str = "b" * 32
) -> Snapshot:
    """A snapshot whose burst of these frames has ended, the first of them in the cache."""
    path = cache.store(frames[0], event_id=event_id, camera="Yard Camera", taken_at=NOW, format="JPEG")
    snapshot = Snapshot(
        *(event_id, "Yard Camera", "Yard", NOW, NOW, 0.1, "http", str(path), len(frames[0]), 320, 180),
        frames=len(frames),
        burst=Burst(len(frames), look=look),
    )
    journal.record(snapshot)
    if len(frames) > 1:
        journal.record_media([_frame(media, event_id, at, data) for at, data in enumerate(frames)])
    return snapshot


def _frame(media: EventMedia, event_id: str, at: int, data: bytes) -> Medium:
    path: Path = media.store(data, event_id=event_id, name=f"{at:02d}.jpg")
    size = {"size": len(data), "width": 320, "height": 180}
    taken_at = NOW + timedelta(seconds=at)
    return Medium(
        *(f"{event_id[:30]}{at:02d}", "frame", "jpeg", "Yard Camera", str(path)),
        **size,
        taken_at=taken_at,
        snapshot=event_id,
        position=at,
    )
