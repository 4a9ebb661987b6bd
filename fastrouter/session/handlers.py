"""The messages that the wire contract defines for every endpoint, and CORE's ``Ping``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastrouter.session import authenticate
from fastrouter.session.messages import Message, field, optional, strings
from fastrouter.session.query import parse_since
from fastrouter.session.subscriptions import Subscription, parse_items

if TYPE_CHECKING:
    from fastrouter.session.effects import Effect
    from fastrouter.session.session import Session

__all__ = ["COMMON", "PING", "Handler"]

#: what serves one type of message; it raises MessageError, SubscriptionError, AuthError
Handler = Callable[["Session", Message, int], "Effect"]


def pong(session: Session, message: Message, now: int) -> Effect:
    """Proof of life, which `receive` noted."""
    return None


def ping(session: Session, message: Message, now: int) -> Effect:
    """CORE's: answered at once."""
    optional(message, "timestamp", (int, float), "a number (Unix ms)")
    session.send("pong")
    return None


def event_ack(session: Session, message: Message, now: int) -> Effect:
    """Counted, ids that nobody knows too."""
    field(message, "correlation_id", str, "a string")
    events = strings(message, "events_processed")
    field(message, "timestamp", (int, float), "a number (Unix ms)")
    session.acks += 1
    session.acked_events += len(events)
    session.last_ack = now
    if session.rules.acks is not None:
        session.rules.acks.note(events)
    return None


def subscribe(session: Session, message: Message, now: int) -> Effect:
    """Answered with all now held; then snapshots."""
    session.hold(session.holding.allowed(_items(session, message)))
    session.send("subscribed", subscriptions=session.holding.names)
    return None


def unsubscribe(session: Session, message: Message, now: int) -> Effect:
    """Answered with all still held."""
    session.holding.remove(_items(session, message))
    session.send("unsubscribed", subscriptions=session.holding.names)
    return None


def resume(session: Session, message: Message, now: int) -> Effect:
    """The caller replays, then it is live again."""
    return session.resume(parse_since(field(message, "since", str, "a string")))


def _items(session: Session, message: Message) -> list[Subscription]:
    return parse_items(strings(message, "subscriptions"), session.rules.default_timeframe)


COMMON: dict[str, Handler] = {
    "pong": pong,
    "event_ack": event_ack,
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "resume": resume,
    "Authenticate": authenticate.again,
}

PING: dict[str, Handler] = {"Ping": ping}
