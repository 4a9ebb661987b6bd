"""One client's session: what it says, what it is answered, when it is given up.

::

    AUTHENTICATING  after the welcome, when auth is on and the handshake had no token.
                    Nothing is sent but the welcome.
    LIVE            what it asked for at the handshake begins.

    state           message          effect
    --------------  ---------------  ---------------------------------------------------
    AUTHENTICATING  Authenticate     ``authenticated``, then LIVE
                    anything else    ``error`` NOT_AUTHENTICATED, close 4401; silence too
    LIVE            pong             proof of life
                    event_ack        counted
                    subscribe        ``subscribed`` with all now held, then snapshots
                    unsubscribe      ``unsubscribed`` with all now held
                    resume           the caller replays, then it is live again
                    Authenticate     ``authenticated``: the same subject, a new expiry
                    anything else    ``error`` INVALID_MESSAGE; the connection stays

A token that does not hold, or no longer: ``error``, close 4401. Who talks too
much: ``rate_limit``, then close 1008.

Any message is proof of life. Every `heartbeat` the session sends a ``ping``;
silent for two of them, it is closed with 4408.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from fastrouter.core.leaves import glob_match
from fastrouter.errors import (
    AuthError,
    CloseCode,
    ErrorCode,
    FastrouterError,
    MessageError,
    SubscriptionError,
)
from fastrouter.session.effects import Authenticated, Close, Effect, Rejected, Resume
from fastrouter.session.limits import Meter, RateLimit, Verdict
from fastrouter.session.messages import Message, field, parse, strings
from fastrouter.session.query import Opening, parse_since
from fastrouter.session.subscriptions import DEFAULT, Subscription, parse_items
from fastrouter.session.subscriptions import parse as parse_text

if TYPE_CHECKING:
    from fastrouter.core.clock import Clock
    from fastrouter.core.outbox import Outbox
    from fastrouter.session.acks import Acks
    from fastrouter.session.auth import Grant, Verifier

__all__ = ["Close", "Effect", "Rejected", "Rules", "Session", "State"]

SECOND = 1_000_000_000  # ns
SILENT_INTERVALS = 2


class State(Enum):
    """How far a session is."""

    AUTHENTICATING = "authenticating"
    LIVE = "live"


class Rules(NamedTuple):
    """What holds for all sessions of one endpoint."""

    heartbeat: int = 15 * SECOND  # ns between two pings
    default_timeframe: str = "1m"
    subscriptions: tuple[Subscription, ...] = tuple(parse_text(DEFAULT))  # of who names none
    max_subscriptions: int = 1000  # 0: as many as they like
    rate: RateLimit = RateLimit()
    acks: Acks | None = None  # the endpoint's account of them
    verifier: Verifier | None = None  # None: nobody has to say who it is
    auth_timeout: int = 5 * SECOND  # ns for the first message


class Session:
    """The protocol of one connection, without I/O.

    The caller hands in what arrives (`receive`), calls `tick` at `deadline`,
    and does what the returned effect says; each may have moved `deadline`.
    `now` is any monotonic clock in ns; the `clock` stamps messages and is what
    tokens expire by. Answers leave through the outbox. `grant` is what a token
    at the handshake proved.
    """

    __slots__ = (
        "_heartbeat_at",
        "acked_events",
        "acks",
        "clock",
        "deadline",
        "grant",
        "held",
        "id",
        "last_ack",
        "last_seen",
        "meter",
        "opening",
        "outbox",
        "rejected",
        "rules",
        "state",
    )

    def __init__(
        self,
        session_id: str,
        outbox: Outbox,
        clock: Clock,
        rules: Rules,
        now: int,
        grant: Grant | None = None,
    ) -> None:
        self.id = session_id
        self.outbox = outbox
        self.clock = clock
        self.rules = rules
        self.grant = grant
        proven = rules.verifier is None or grant is not None
        self.state = State.LIVE if proven else State.AUTHENTICATING
        self.opening = Opening()
        self.meter = Meter(rules.rate)
        self.last_seen = now
        self.held: dict[tuple[str, str], str] = {}
        self.acks = 0
        self.acked_events = 0
        self.last_ack: int | None = None  # `now` of it
        self.rejected = 0
        self._plan_ping(now)
        self.deadline = self._deadline(now) if proven else now + rules.auth_timeout

    @property
    def subject(self) -> str | None:
        """Who it is, None when nobody asked."""
        return self.grant.subject if self.grant is not None else None

    # ------------------------------------------------------------------ begin

    def open(self, opening: Opening, last_id: int) -> Effect:
        """Welcome the client; begin what it asked for, at once or when it has said who it is.

        `last_id` is the newest event's: who gets none resumes after that one.
        """
        self.send("connection", event="CONNECTED", session_id=self.id, last_id=f"evt_{last_id}")
        self.opening = opening
        return self._begin() if self.state is State.LIVE else None

    def _begin(self) -> Resume | Rejected | None:
        opening, self.opening = self.opening, Opening()
        if self.grant is not None:
            self.outbox.allow(self.grant.accounts)
        if opening.conflate is not None:
            self.outbox.pace(opening.conflate)
        try:
            items = self._wanted(opening.subscriptions)
        except (MessageError, SubscriptionError) as error:
            return self.reject(error)
        resume = self._resume(opening.since) if opening.since is not None else None
        self._hold(items)
        return resume

    def _wanted(self, text: str | None) -> list[Subscription]:
        """What it named, or the default as far as it may have it."""
        if text is not None:
            return self._allowed(parse_text(text, self.rules.default_timeframe))
        default = list(self.rules.subscriptions)
        entitlement = self.grant.entitlement if self.grant is not None else None
        return default if entitlement is None else entitlement.narrow(default)

    # ---------------------------------------------------------------- receive

    def receive(self, data: bytes, now: int) -> Effect:
        """Take one text message, in UTF-8."""
        self.last_seen = now
        try:
            message = parse(data)
        except MessageError as error:
            return self._count(None, now) or self._refuse(error)
        kind = message["type"]
        handler = HANDLERS[self.state].get(kind) if isinstance(kind, str) else None
        if handler is None:
            return self._count(None, now) or self._refuse(self._unknown(kind))
        return self._count(kind, now) or self._handle(handler, message, now)

    def receive_binary(self, data: bytes, now: int) -> Effect:
        """Take one binary message: nothing is defined for it."""
        self.last_seen = now
        error = MessageError("binary message; allowed: JSON in a text message")
        return self._count(None, now) or self._refuse(error)

    def alive(self, now: int) -> None:
        """Anything at all came from the client."""
        self.last_seen = now

    def _handle(self, handler: Handler, message: Message, now: int) -> Effect:
        try:
            return handler(self, message, now)
        except AuthError as error:
            return self._shut_out(error)
        except (MessageError, SubscriptionError) as error:
            free = message["type"] in self.rules.rate.free  # but not to send rubbish
            return (self._count(None, now) if free else None) or self._refuse(error)

    def _unknown(self, kind: object) -> MessageError:
        allowed = ", ".join(HANDLERS[self.state])
        return MessageError(f"type {str(kind)[:100]!r} is not known; allowed: {allowed}")

    def _count(self, kind: str | None, now: int) -> Close | None:
        """Hold a message against the rate limit."""
        verdict = self.meter.note(kind, now)
        if verdict is Verdict.FINE or self.state is State.AUTHENTICATING:
            return None
        limit = self.rules.rate
        if verdict is Verdict.BEYOND:
            return Close(CloseCode.POLICY, f"rate limit: {limit.messages} in {limit.seconds:g} s")
        self.send(
            "rate_limit",
            message=f"{self.meter.used} of {limit.messages} messages in {limit.seconds:g} s; "
            "more than that closes the session",
            used=self.meter.used,
            limit=limit.messages,
            window_seconds=limit.seconds,
        )
        return None

    def _refuse(self, error: FastrouterError) -> Close | Rejected:
        """A message that cannot be served: an error, and before auth the end too."""
        if self.state is State.AUTHENTICATING:
            return self._shut_out(AuthError("the first message must be Authenticate, with a token"))
        return self.reject(error)

    def reject(self, error: FastrouterError) -> Rejected:
        """Answer with an error; the connection stays."""
        self.rejected += 1
        self.send("error", code=error.code, message=str(error))
        return Rejected(error.code, str(error))

    def _shut_out(self, error: AuthError) -> Close:
        self.reject(error)
        return Close(CloseCode.NOT_AUTHENTICATED, str(error))

    # ---------------------------------------------------------- authentication

    def _on_first_authenticate(self, message: Message, now: int) -> Effect:
        self._admit(self._verify(message), now)
        resumed = self._begin()
        if isinstance(resumed, Rejected):
            return resumed
        return Authenticated(self.grant.subject if self.grant else "", resumed)

    def _on_authenticate(self, message: Message, now: int) -> Effect:
        """A fresh token: the same subject goes on with what the new one grants."""
        if self.rules.verifier is None:
            field(message, "token", str, "a string")
            self.send("authenticated", subject=None)
            return None
        grant = self._verify(message)
        if grant.subject != self.subject:
            raise MessageError("the token is of another subject", code=ErrorCode.FORBIDDEN)
        self._admit(grant, now)
        self.outbox.allow(grant.accounts)
        self._drop_what_is_not_granted()
        return Authenticated(grant.subject)

    def _verify(self, message: Message) -> Grant:
        """What the message's token grants. Raises AuthError."""
        assert self.rules.verifier is not None
        token = message.get("token")
        if not isinstance(token, str):
            raise AuthError("Authenticate: 'token' must be a string")
        return self.rules.verifier.verify(token, self.clock.time_ns() / SECOND)

    def _admit(self, grant: Grant, now: int) -> None:
        self.grant = grant
        self.state = State.LIVE
        self.deadline = self._deadline(now)
        self.send(
            "authenticated",
            subject=grant.subject,
            accounts=list(grant.accounts),
            expires=grant.expires,
        )

    def _drop_what_is_not_granted(self) -> None:
        lost = [pattern for pattern in self.held if not self._may(Subscription("", *pattern))]
        if not lost:
            return
        names = [self.held.pop(pattern) for pattern in lost]
        self.outbox.unsubscribe(lost)
        self.reject(_forbidden(names[0]))
        self.send("unsubscribed", subscriptions=list(self.held.values()))

    # --------------------------------------------------------------- messages

    def _on_pong(self, message: Message, now: int) -> Effect:
        return None  # receive() noted the proof of life

    def _on_ack(self, message: Message, now: int) -> Effect:
        field(message, "correlation_id", str, "a string")
        events = strings(message, "events_processed")
        field(message, "timestamp", (int, float), "a number (Unix ms)")
        self.acks += 1
        self.acked_events += len(events)
        self.last_ack = now
        if self.rules.acks is not None:
            self.rules.acks.note(events)
        return None

    def _on_resume(self, message: Message, now: int) -> Effect:
        return self._resume(parse_since(field(message, "since", str, "a string")))

    def _resume(self, since: int) -> Resume:
        # from here on who replays brings what is lossless, so that nothing comes twice
        self.outbox.hold()
        return Resume(since)

    # ----------------------------------------------------------- subscriptions

    def _on_subscribe(self, message: Message, now: int) -> Effect:
        self._hold(self._allowed(self._items(message)), answer="subscribed")
        return None

    def _on_unsubscribe(self, message: Message, now: int) -> Effect:
        items = self._items(message)
        self.outbox.unsubscribe([item.pattern for item in items])
        for item in items:
            self.held.pop(item.pattern, None)
        self.send("unsubscribed", subscriptions=list(self.held.values()))
        return None

    def _items(self, message: Message) -> list[Subscription]:
        return parse_items(strings(message, "subscriptions"), self.rules.default_timeframe)

    def _allowed(self, items: list[Subscription]) -> list[Subscription]:
        """The same items; MessageError for too many, or one that the token does not grant."""
        limit = self.rules.max_subscriptions
        total = len(self.held.keys() | {item.pattern for item in items})
        if limit and total > limit:
            raise MessageError(
                f"{total} subscriptions; allowed: {limit}", code=ErrorCode.LIMIT_EXCEEDED
            )
        for item in items:
            if not self._may(item):
                raise _forbidden(item.text)
        return items

    def _may(self, item: Subscription) -> bool:
        entitlement = self.grant.entitlement if self.grant is not None else None
        return entitlement is None or entitlement.covers(item)

    def _hold(self, items: list[Subscription], answer: str | None = None) -> None:
        for item in items:
            self.held.setdefault(item.pattern, item.text)
        if answer is not None:
            self.send(answer, subscriptions=list(self.held.values()))
        self.outbox.subscribe([item.pattern for item in items])

    # ------------------------------------------------------------------- time

    def tick(self, now: int) -> Effect:
        """Do what is due at `now`; call again at `deadline`."""
        if self.state is State.AUTHENTICATING:
            if now >= self.deadline:
                return self._shut_out(AuthError("no Authenticate message in time"))
            return None
        if self.grant is not None and self.grant.expired(self.clock.time_ns() / SECOND):
            return self._shut_out(AuthError("the token has expired", code=ErrorCode.TOKEN_EXPIRED))
        if now >= self._given_up_at:
            return Close(CloseCode.HEARTBEAT_LOST, "heartbeat lost")
        if now >= self._heartbeat_at:
            self.send("ping")
            self._plan_ping(now)
        self.deadline = self._deadline(now)
        return None

    @property
    def _given_up_at(self) -> int:
        return self.last_seen + SILENT_INTERVALS * self.rules.heartbeat

    def _plan_ping(self, now: int) -> None:
        self._heartbeat_at = now + self.rules.heartbeat

    def _deadline(self, now: int) -> int:
        """When something is due next, at the latest."""
        due = min(self._heartbeat_at, self._given_up_at)
        if self.grant is None or self.grant.expires is None:
            return due
        left = int(self.grant.expires * SECOND) - self.clock.time_ns()
        return min(due, now + max(left, 0))

    # ------------------------------------------------------------------- send

    def matches(self, symbol: str, event_type: str) -> bool:
        """Whether it is subscribed to this topic."""
        return (symbol, event_type) in self.held or any(
            event_type == kind and glob_match(pattern, symbol) for pattern, kind in self.held
        )

    def drain(self) -> None:
        """Tell the client that the server goes; the caller flushes and closes."""
        self._tell("DISCONNECTING")

    def upstream(self, connected: bool) -> None:
        """Tell the client that the feed is lost, or back."""
        self._tell("CONNECTED" if connected else "RECONNECTING")

    def gap(self, reason: str) -> None:
        """Tell the client that events which are never dropped may be missing."""
        if self.state is State.LIVE:
            self.send("error", code=ErrorCode.RESUME_GAP, message=reason)

    def _tell(self, event: str) -> None:
        if self.state is State.LIVE:  # before that nobody is told anything
            self.send("connection", event=event, session_id=self.id)

    def send(self, kind: str, **fields: Any) -> None:
        """Queue a message of the session's own, in its dialect."""
        outbox = self.outbox
        outbox.control(outbox.dialect.control(kind, fields, self.clock.time_ns()))


Handler = Callable[[Session, Message, int], Effect]

HANDLERS: dict[State, dict[str, Handler]] = {
    State.AUTHENTICATING: {"Authenticate": Session._on_first_authenticate},
    State.LIVE: {
        "pong": Session._on_pong,
        "event_ack": Session._on_ack,
        "subscribe": Session._on_subscribe,
        "unsubscribe": Session._on_unsubscribe,
        "resume": Session._on_resume,
        "Authenticate": Session._on_authenticate,
    },
}


def _forbidden(item: str) -> MessageError:
    return MessageError(
        f"subscription {item[:200]!r} is not covered by the token", code=ErrorCode.FORBIDDEN
    )
