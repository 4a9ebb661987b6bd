"""One client's session: what it says, what it is answered, when it is given up.

::

    message          effect
    ---------------  -----------------------------------------------------------
    pong             proof of life
    event_ack        counted
    subscribe        ``subscribed`` with all now held, then snapshots
    unsubscribe      ``unsubscribed`` with all now held
    anything else    ``error`` INVALID_MESSAGE; the connection stays

Any message is proof of life. Every `heartbeat` the session sends a ``ping``;
silent for two of them, it is closed with 4408.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from fastrouter.errors import CloseCode, MessageError, SubscriptionError
from fastrouter.session.subscriptions import Subscription, parse_items

if TYPE_CHECKING:
    from fastrouter.core.clock import Clock
    from fastrouter.core.outbox import Outbox

__all__ = ["Close", "Effect", "Rejected", "Rules", "Session"]

SILENT_INTERVALS = 2


class Rules(NamedTuple):
    """What holds for all sessions of one endpoint."""

    heartbeat: int = 15_000_000_000  # ns between two pings
    default_timeframe: str = "1m"


class Close(NamedTuple):
    """The caller closes the connection with this code."""

    code: CloseCode
    reason: str


class Rejected(NamedTuple):
    """A message was answered with an error; the caller may log it."""

    code: str
    reason: str


Effect = Close | Rejected | None


class Session:
    """The protocol of one connection, without I/O.

    The caller hands in what arrives (`receive`), calls `tick` at `deadline`,
    and does what the returned effect says. `now` is any monotonic clock in ns;
    the `clock` stamps messages. Answers leave through the outbox.
    """

    __slots__ = (
        "acked_events",
        "acks",
        "clock",
        "deadline",
        "held",
        "id",
        "last_seen",
        "outbox",
        "rejected",
        "rules",
    )

    def __init__(
        self, session_id: str, outbox: Outbox, clock: Clock, rules: Rules, now: int
    ) -> None:
        self.id = session_id
        self.outbox = outbox
        self.clock = clock
        self.rules = rules
        self.last_seen = now
        self.deadline = now + rules.heartbeat
        self.held: dict[tuple[str, str], str] = {}
        self.acks = 0
        self.acked_events = 0
        self.rejected = 0

    # ------------------------------------------------------------------ begin

    def open(self, subscriptions: list[Subscription]) -> None:
        """Welcome the client and subscribe it to what it gets from the start."""
        self.send("connection", event="CONNECTED", session_id=self.id)
        self._hold(subscriptions)

    # ---------------------------------------------------------------- receive

    def receive(self, data: bytes, now: int) -> Effect:
        """Take one text message.

        The caller closes with 1007 when told to: text that is not UTF-8 breaks
        the transport's own rules (RFC 6455, 8.1).
        """
        self.alive(now)
        try:
            message = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            if not _is_utf8(data):
                return Close(CloseCode.INVALID_TEXT, "text is not UTF-8")
            return self.reject(MessageError(f"not JSON: {error}"))
        try:
            self._dispatch(message)
        except (MessageError, SubscriptionError) as error:
            return self.reject(error)
        return None

    def refuse_binary(self, now: int) -> Effect:
        """Take one binary message: nothing is defined for it."""
        self.alive(now)
        return self.reject(MessageError("binary message; allowed: JSON in a text message"))

    def alive(self, now: int) -> None:
        """Anything at all came from the client."""
        self.last_seen = now

    def _dispatch(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise MessageError(f"message is {_json_type(message)}; allowed: an object")
        if "type" not in message:
            raise MessageError("message has no 'type'")
        kind = message["type"]
        handler = HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise MessageError(f"type {str(kind)[:100]!r} is not known; "
                               f"allowed: {', '.join(HANDLERS)}")  # fmt: skip
        handler(self, message)

    def reject(self, error: MessageError | SubscriptionError) -> Rejected:
        """Answer with an error; the connection stays."""
        self.rejected += 1
        self.send("error", code=error.code, message=str(error))
        return Rejected(error.code, str(error))

    # --------------------------------------------------------------- messages

    def _on_pong(self, message: dict[str, Any]) -> None:
        pass  # receive() noted the proof of life

    def _on_ack(self, message: dict[str, Any]) -> None:
        _field(message, "correlation_id", str, "a string")
        events = _strings(message, "events_processed")
        _field(message, "timestamp", (int, float), "a number (Unix ms)")
        self.acks += 1
        self.acked_events += len(events)

    def _on_subscribe(self, message: dict[str, Any]) -> None:
        self._hold(self._items(message), answer="subscribed")

    def _on_unsubscribe(self, message: dict[str, Any]) -> None:
        items = self._items(message)
        self.outbox.unsubscribe([item.pattern for item in items])
        for item in items:
            self.held.pop(item.pattern, None)
        self.send("unsubscribed", subscriptions=list(self.held.values()))

    def _items(self, message: dict[str, Any]) -> list[Subscription]:
        return parse_items(_strings(message, "subscriptions"), self.rules.default_timeframe)

    def _hold(self, items: list[Subscription], answer: str | None = None) -> None:
        for item in items:
            self.held.setdefault(item.pattern, item.text)
        if answer is not None:
            self.send(answer, subscriptions=list(self.held.values()))
        self.outbox.subscribe([item.pattern for item in items])

    # ------------------------------------------------------------------- time

    def tick(self, now: int) -> Effect:
        """Do what is due at `now`; call again at `deadline`."""
        given_up = self.last_seen + SILENT_INTERVALS * self.rules.heartbeat
        if now >= given_up:
            return Close(CloseCode.HEARTBEAT_LOST, "heartbeat lost")
        self.send("ping")
        self.deadline = min(now + self.rules.heartbeat, given_up)
        return None

    def drain(self) -> None:
        """Tell the client that the server goes; the caller flushes and closes."""
        self.send("connection", event="DISCONNECTING", session_id=self.id)

    def upstream(self, connected: bool) -> None:
        """Tell the client that the feed is lost, or back."""
        event = "CONNECTED" if connected else "RECONNECTING"
        self.send("connection", event=event, session_id=self.id)

    def send(self, kind: str, **fields: Any) -> None:
        """Queue a message of the session's own, in its dialect."""
        outbox = self.outbox
        outbox.control(outbox.dialect.control(kind, fields, self.clock.time_ns()))


HANDLERS: dict[str, Callable[[Session, dict[str, Any]], None]] = {
    "pong": Session._on_pong,
    "event_ack": Session._on_ack,
    "subscribe": Session._on_subscribe,
    "unsubscribe": Session._on_unsubscribe,
}

JSON_TYPES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean",
              int: "a number", float: "a number", type(None): "null"}  # fmt: skip


def _json_type(value: Any) -> str:
    return JSON_TYPES[type(value)]


def _field(message: dict[str, Any], name: str, kinds: Any, allowed: str) -> Any:
    if name not in message:
        raise MessageError(f"{message['type']}: {name!r} is missing; it must be {allowed}")
    value = message[name]
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise MessageError(
            f"{message['type']}: {name!r} is {_json_type(value)}; it must be {allowed}"
        )
    return value


def _strings(message: dict[str, Any], name: str) -> list[str]:
    value = _field(message, name, list, "an array of strings")
    if not all(isinstance(item, str) for item in value):
        raise MessageError(f"{message['type']}: {name!r} must be an array of strings")
    found: list[str] = value
    return found


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
