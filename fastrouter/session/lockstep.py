"""The messages of a simulation that differ from those of live sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastrouter.errors import MessageError
from fastrouter.session.acks import event_number
from fastrouter.session.messages import Message, field, strings

if TYPE_CHECKING:
    from fastrouter.session.effects import Effect
    from fastrouter.session.handlers import Handler
    from fastrouter.session.session import Session

__all__ = ["HANDLERS", "welcome"]


def acknowledge(session: Session, message: Message, now: int) -> Effect:
    """Any form of an ``event_ack`` that is not taken before."""
    field(message, "correlation_id", str, "a string")
    events = strings(message, "events_processed")
    field(message, "timestamp", (int, float), "a number (Unix ms)")
    _seat(session).member.acknowledge([event_number(text) or 0 for text in events])
    return None


def resume(session: Session, message: Message, now: int) -> Effect:
    """A run goes on by its id, on a new connection."""
    raise MessageError("resume: a run goes on by ?run=<run_id>, on a new connection")


def welcome(session: Session) -> dict[str, Any]:
    """Which run it is in, and as whom."""
    fields: dict[str, Any] = _seat(session).fields()
    return fields


def _seat(session: Any) -> Any:
    """Of a `fastrouter.session.seated.Seated`."""
    return session.seat


HANDLERS: dict[str, Handler] = {"event_ack": acknowledge, "resume": resume}
