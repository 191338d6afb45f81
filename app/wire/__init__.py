"""The RabbitMQ payloads, both directions: the contract with every other program in the house."""

from app.wire.events import (
    EventMessage,
    MalformedEvent,
    control_exchange,
    description,
    event,
    event_key,
    heartbeat_key,
    parse_event,
    trace_context,
    trigger_key,
)
from app.wire.heartbeats import HeartbeatDevice, heartbeat
from app.wire.triggers import (
    MalformedTrigger,
    carried,
    checked_active_input,
    checked_burst,
    event_id_of,
    parse_timestamp,
    parse_trigger,
    trigger_body,
)

__all__ = [
    "EventMessage",
    "HeartbeatDevice",
    "MalformedEvent",
    "MalformedTrigger",
    "carried",
    "checked_active_input",
    "checked_burst",
    "control_exchange",
    "description",
    "event",
    "event_id_of",
    "event_key",
    "heartbeat",
    "heartbeat_key",
    "parse_event",
    "parse_timestamp",
    "parse_trigger",
    "trace_context",
    "trigger_body",
    "trigger_key",
]
