"""One client's session: what it says, what it is answered, when it is given up.

::

    AUTHENTICATING  after the welcome, when auth is on and the handshake had no token.
                    Nothing is sent but the welcome.
    LIVE            what it asked for at the handshake begins.

    state           message          effect
    --------------  ---------------  ---------------------------------------------------
    AUTHENTICATING  Authenticate     ``authenticated``, then LIVE
                    anything else    ``error`` NOT_AUTHENTICATED, close 4401; silence too
    LIVE            what its manners know (`fastrouter.session.manners`)
                    with wrong fields: ``error`` INVALID_MESSAGE; the connection stays
                    anything else    as its manners say

A token that does not hold, or no longer: ``error``, close 4401. Who talks too
much: ``rate_limit``, then close 1008.

Anything that comes is proof of life. Every `heartbeat` the session sends its
manners' beat; silent for two of them, or longer where its manners say so, it is
closed with 4408.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastrouter.errors import (
    AuthError,
    CloseCode,
    ErrorCode,
    FastrouterError,
    MessageError,
    SubscriptionError,
)
from fastrouter.session.effects import Close, Effect, Rejected, Resume
from fastrouter.session.holding import Holding
from fastrouter.session.limits import Meter, Verdict
from fastrouter.session.messages import Message, decode
from fastrouter.session.query import Opening
from fastrouter.session.rules import Rules
from fastrouter.session.state import State
from fastrouter.session.subscriptions import Subscription
from fastrouter.session.subscriptions import parse as parse_text

if TYPE_CHECKING:
    from fastrouter.core.clock import Clock
    from fastrouter.core.dialect import Dialect
    from fastrouter.core.outbox import Outbox
    from fastrouter.session.auth import Grant
    from fastrouter.session.handlers import Handler

__all__ = ["Close", "Effect", "Rejected", "Rules", "Session", "State"]

SECOND = 1_000_000_000  # ns
SILENT_INTERVALS = 2

#: kinds that ORCH's envelope has words for, on an endpoint whose own may have none
SPOKEN = frozenset(("strategy", "risk"))


class Session:
    """The protocol of one connection, without I/O.

    The caller hands in what arrives (`receive`), calls `tick` at `deadline`,
    and does what the returned effect says; each may have moved `deadline`.
    `now` is any monotonic clock in ns; the `clock` stamps messages and is what
    tokens expire by. Answers leave through the outbox. `grant` is what a token
    at the handshake proved, `variable` what the path's variable stands for.
    """

    __slots__ = (
        "_asked_at",
        "_heartbeat_at",
        "acked_events",
        "acks",
        "clock",
        "deadline",
        "follows",
        "grant",
        "holding",
        "id",
        "last_ack",
        "last_seen",
        "manners",
        "meter",
        "opening",
        "outbox",
        "rejected",
        "rules",
        "state",
        "strategy_id",
        "variable",
    )

    def __init__(
        self,
        session_id: str,
        outbox: Outbox,
        clock: Clock,
        rules: Rules,
        now: int,
        grant: Grant | None = None,
        variable: str | None = None,
    ) -> None:
        self.id = session_id
        self.outbox = outbox
        self.clock = clock
        self.rules = rules
        self.manners = rules.manners
        self.grant = grant
        self.variable = variable
        self.strategy_id: str | None = None  # whose it is
        proven = rules.verifier is None or grant is not None
        self.state = State.LIVE if proven else State.AUTHENTICATING
        self.opening = Opening()
        self.meter = Meter(rules.rate)
        self.holding = Holding(outbox, rules.max_subscriptions)
        self.last_seen = now
        self._asked_at = now  # when it was first asked since it was last seen, if later
        self.acks = 0
        self.acked_events = 0
        self.last_ack: int | None = None  # `now` of it
        self.rejected = 0
        self.follows = False  # a command has subscribed it to strategies
        self._plan_beat(now)
        self.deadline = self._deadline(now) if proven else now + rules.auth_timeout

    @property
    def subject(self) -> str | None:
        """Who it is, None when nobody asked."""
        return self.grant.subject if self.grant is not None else None

    @property
    def second(self) -> Dialect | None:
        """What commands are answered in, when that is not the session's own dialect."""
        orchestrator = self.rules.orchestrator
        if orchestrator is None or orchestrator.name == self.outbox.dialect.name:
            return None
        return orchestrator

    @property
    def held(self) -> dict[tuple[str, str], str]:
        """What it is subscribed to: (symbol pattern, event type) -> as it was named."""
        return self.holding.texts

    # ------------------------------------------------------------------ begin

    def open(self, opening: Opening, last_id: int) -> Effect:
        """Welcome the client; begin what it asked for, at once or when it has said who it is.

        `last_id` is the newest event's: who gets none resumes after that one.
        """
        fields = self.manners.welcome(self)
        self.send("welcome", session_id=self.id, last_id=f"evt_{last_id}", **fields)
        self.opening = opening
        if opening.strategy_id is not None:
            self._belong(opening.strategy_id)
        if self.grant is not None:
            self.claim(self.grant)
        return self.begin() if self.state is State.LIVE else None

    def claim(self, grant: Grant) -> None:
        """A token of a strategy's process makes it that strategy's session.

        Raises AuthError, code FORBIDDEN, for one that says it is another's.
        """
        grant.check_strategy(self.strategy_id)
        if grant.strategy_id is not None:
            self._belong(grant.strategy_id)

    def _belong(self, strategy_id: str) -> None:
        self.strategy_id = strategy_id
        roster = self.rules.roster
        if roster is not None and strategy_id in roster.paused:
            self.holding.pause()

    def begin(self) -> Close | Resume | Rejected | None:
        """Do what the handshake asked for."""
        opening, self.opening = self.opening, Opening()
        if self.grant is not None:
            self.outbox.allow(self.grant.accounts)
            self.holding.entitlement = self.grant.entitlement
        if opening.conflate is not None:
            self.outbox.pace(opening.conflate)
        try:
            own = self._own() if opening.subscriptions is None else None
            items = self._wanted(opening.subscriptions) if own is None else own
        except (MessageError, SubscriptionError) as error:
            return self.reject(error)
        resume = self.resume(opening.since) if opening.since is not None else None
        if opening.subscriptions is None and own is None:
            self.holding.add(items)
        else:
            self.hold(items)
        return resume

    def _wanted(self, text: str | None) -> list[Subscription]:
        """What it named, or the default as far as it may have it."""
        timeframe = self.rules.default_timeframe
        if text is not None:
            return self.holding.allowed(parse_text(text, timeframe))
        default = self.rules.subscriptions
        if default is None:
            default = self.manners.default(timeframe, self.variable)
        return self.holding.granted(default)

    def _own(self) -> list[Subscription] | None:
        """What its strategy gets instead of the default, as if it had named it; None: nothing."""
        rules = self.rules
        if rules.roster is None or not rules.of_strategies or self.strategy_id is None:
            return None
        text = rules.roster.subscriptions(self.strategy_id)
        if text is None:
            return None
        return self.holding.granted(parse_text(text, rules.default_timeframe))

    def hold(self, items: list[Subscription]) -> None:
        """Subscribe to what it asked for by name.

        Of `SPOKEN`, what its own envelope has no words for comes in the orchestrator's.
        """
        second = self.second
        if second is not None:
            wordless = SPOKEN.intersection(self.outbox.dialect.wordless)
            asked = wordless.intersection(item.event_type for item in items)
            if asked:
                self.holding.move(asked, second)
        self.holding.add(items)

    def resume(self, since: int) -> Resume:
        """From here on who replays brings what is lossless, so that nothing comes twice."""
        self.outbox.hold()
        return Resume(since)

    def admit(self, grant: Grant, now: int) -> None:
        """A token proved who it is."""
        self.grant = grant
        self.state = State.LIVE
        self.deadline = self._deadline(now)

    # ---------------------------------------------------------------- receive

    def receive(self, data: bytes, now: int) -> Effect:
        """Take one text message, in UTF-8."""
        self.last_seen = now
        try:
            message = decode(data)
        except MessageError as error:
            return self._count(None, now) or self._malformed(error)
        kind = self.manners.kind_of(message)
        handler = self.manners.handlers[self.state].get(kind) if kind is not None else None
        if handler is not None:
            return self._count(kind, now) or self._handle(handler, kind, message, now)
        if (close := self._count(None, now)) is not None:
            return close
        if self.state is State.AUTHENTICATING:
            return self._not_authenticated()
        return self.manners.unknown(self, message, data)

    def receive_binary(self, data: bytes, now: int) -> Effect:
        """Take one binary message: nothing is defined for it."""
        self.last_seen = now
        error = MessageError("binary message; allowed: JSON in a text message")
        return self._count(None, now) or self._malformed(error)

    def alive(self, now: int) -> None:
        """Anything at all came from the client."""
        self.last_seen = now

    def _handle(self, handler: Handler, kind: str | None, message: Message, now: int) -> Effect:
        try:
            return handler(self, message, now)
        except AuthError as error:
            return self._shut_out(error)
        except (MessageError, SubscriptionError) as error:
            free = kind in self.rules.rate.free  # but not to send rubbish
            return (self._count(None, now) if free else None) or self.reject(error)

    def _malformed(self, error: MessageError) -> Effect:
        if self.state is State.AUTHENTICATING:
            return self._not_authenticated()
        return self.manners.malformed(self, error)

    def _count(self, kind: str | None, now: int) -> Close | None:
        """Hold a message against the rate limit."""
        verdict = self.meter.note(kind, now)
        usage = self.meter.usage
        if usage is None or verdict is Verdict.FINE or self.state is State.AUTHENTICATING:
            return None
        if verdict is Verdict.BEYOND:
            return Close(CloseCode.POLICY, f"rate limit: {usage}")
        self.send(
            "rate_limit",
            message=f"{usage}; more than that closes the session",
            used=usage.used,
            limit=usage.limit,
            window_seconds=usage.seconds,
        )
        return None

    def reject(self, error: FastrouterError) -> Rejected:
        """Answer with an error; the connection stays."""
        self.send("error", code=error.code, message=str(error))
        return self.note_rejected(error)

    def note_rejected(self, error: FastrouterError) -> Rejected:
        """A message was not served, whatever was said to it."""
        self.rejected += 1
        return Rejected(error.code, str(error))

    def _not_authenticated(self) -> Close:
        return self._shut_out(AuthError("the first message must be Authenticate, with a token"))

    def _shut_out(self, error: AuthError) -> Close:
        self.reject(error)
        return Close(CloseCode.NOT_AUTHENTICATED, str(error))

    # ------------------------------------------------------------------- time

    def tick(self, now: int) -> Effect:
        """Do what is due at `now`; call again at `deadline`."""
        if self.state is State.AUTHENTICATING:
            if now >= self.deadline:
                return self._shut_out(AuthError("no Authenticate message in time"))
            return None
        if self.grant is not None and self.grant.expired(self.clock.time_ns() / SECOND):
            return self._shut_out(AuthError("the token has expired", code=ErrorCode.TOKEN_EXPIRED))
        if self._asked_at > self.last_seen and now >= self._given_up_at:
            return Close(CloseCode.HEARTBEAT_LOST, "heartbeat lost")
        if now >= self._heartbeat_at:
            self.manners.beat(self)
            if self._asked_at <= self.last_seen:
                self._asked_at = now
            self._plan_beat(now)
        self.deadline = self._deadline(now)
        return None

    @property
    def _given_up_at(self) -> int:
        """Not before it was asked for a sign of life, and had time to give one.

        Who stood still may have been we.
        """
        heartbeat = self.rules.heartbeat
        asked = self._asked_at if self._asked_at > self.last_seen else self._heartbeat_at
        patience = max(SILENT_INTERVALS * heartbeat, self.manners.silence)
        return max(self.last_seen + patience, asked + heartbeat)

    def _plan_beat(self, now: int) -> None:
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
        return self.holding.matches(symbol, event_type)

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

    def send(self, kind: str, /, **fields: Any) -> None:
        """Queue a message of the session's own, in its dialect; one that it has no word for is not.

        Nothing is done once the outbox is closed.
        """
        self._say(self.outbox.dialect, kind, fields)

    def answer(self, kind: str, data: Any) -> None:
        """Answer a command, in the envelope of the orchestrator: `data` is what stands there.

        For whoever carries it out, at once or later: nothing is done once the client is gone.
        """
        self._say(self.second or self.outbox.dialect, kind, data)

    def refuse(self, error: FastrouterError) -> Rejected:
        """Answer a command with an error, in the same envelope."""
        self.answer("error", {"code": error.code, "message": str(error)})
        return self.note_rejected(error)

    def _time_ns(self) -> int:
        """What its messages are stamped with."""
        return self.clock.time_ns()

    def _say(self, dialect: Dialect, kind: str, fields: Any) -> None:
        if self.outbox.closed:
            return
        try:
            payload = dialect.control(kind, fields, self._time_ns())
        except NotImplementedError:
            return
        if payload is not None:
            self.outbox.control(payload)
