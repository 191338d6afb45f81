"""Triggers as sources hand them out."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from app.messages import Trigger


def a_trigger(event_id: str = "t1", **changes: object) -> Trigger:
    """A trigger of this moment, over RabbitMQ, for the camera in the yard."""
    fields: dict[str, object] = {
        "id": event_id,
        "camera": "Yard Camera",
        "label": "Yard",
        "timestamp": datetime.now(UTC),
        "arrived": time.monotonic(),
        "origin": "rabbitmq",
        "receipt": "1:7",
        **changes,
    }
    return Trigger(**fields)  # type: ignore[arg-type]
