"""What a client says to a server, as JSON text."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import orjson

__all__ = ["PONG", "acknowledge", "authenticate", "change"]

PONG = b'{"type":"pong"}'


def acknowledge(ids: Iterable[int], now: float) -> bytes:
    """An ``event_ack`` of the events with these numbers; ``now`` is wall-clock seconds."""
    return orjson.dumps(
        {
            "type": "event_ack",
            "correlation_id": str(uuid.uuid4()),
            "events_processed": [f"evt_{number}" for number in ids],
            "timestamp": int(now * 1000),
        }
    )


def authenticate(token: str) -> bytes:
    """An ``Authenticate`` message."""
    return orjson.dumps({"type": "Authenticate", "token": token})


def change(verb: str, items: list[str]) -> bytes:
    """A ``subscribe`` or ``unsubscribe`` message."""
    return orjson.dumps({"type": verb, "subscriptions": items})
