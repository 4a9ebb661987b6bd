"""A session in a simulation: its time is simulated, and its acks move it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from fastrouter.errors import CloseCode, MessageError, SubscriptionError
from fastrouter.session.effects import Close, Effect
from fastrouter.session.query import Opening
from fastrouter.session.session import Session
from fastrouter.session.subscriptions import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastrouter.core.taker import Taker
    from fastrouter.session.auth import Grant

__all__ = ["Member", "Seat", "Seated"]


class Member(Protocol):
    """Who takes a session's acks."""

    @property
    def acks(self) -> int:
        """How many messages."""

    @property
    def acknowledged(self) -> int:
        """How many events."""

    def acknowledge(self, numbers: Iterable[int]) -> None: ...


class Seat(Protocol):
    """What a session has in a simulation; see `fastrouter.engine.seat`."""

    held: dict[tuple[str, str], str] | None

    @property
    def router(self) -> Any: ...

    @property
    def member(self) -> Member: ...

    @property
    def taker(self) -> Taker: ...

    def time_ns(self) -> int: ...

    def fields(self) -> dict[str, Any]: ...

    def sit(self, session: Any, close: Callable[[int, str], object]) -> None: ...

    def begin(self, subject: str | None) -> None: ...

    def leave(self, session: Any, held: dict[tuple[str, str], str]) -> None: ...


class Seated(Session):
    """Its `clock` is the wall's, by which tokens expire; messages have simulated time.

    The caller has given it a seat by `take_seat` before it calls `open`.
    """

    __slots__ = ("_acks_seen", "_close", "seat")

    def take_seat(self, seat: Seat, close: Callable[[int, str], object]) -> None:
        """`close` closes the connection."""
        self.seat = seat
        self._close = close
        self._acks_seen = 0

    def open(self, opening: Opening, last_id: int) -> Effect:
        """As any session's. Where it cannot sit it is told why, and closed."""
        try:
            self.seat.sit(self, self._close)
        except MessageError as error:
            self.reject(error)
            return Close(CloseCode.POLICY, str(error))
        return super().open(opening, last_id)

    def claim(self, grant: Grant) -> None:
        """A run's strategies are its own: a token makes it nobody's."""

    def begin(self) -> Close | None:
        """Subscribe, to what it held before if it comes back, and let the simulation go on."""
        opening, self.opening = self.opening, Opening()
        if self.grant is not None:
            self.outbox.allow(self.grant.accounts)
            self.holding.entitlement = self.grant.entitlement
        try:
            self.holding.add(self._items(opening.subscriptions))
            self.seat.begin(self.subject)
        except (MessageError, SubscriptionError) as error:
            self.reject(error)
            return Close(CloseCode.POLICY, str(error))
        return None

    def hold(self, items: list[Subscription]) -> None:
        """All in its own envelope: a run is the same again for who comes back to it."""
        self.holding.add(items)

    def _items(self, text: str | None) -> list[Subscription]:
        held = self.seat.held
        if held is None:
            return self._wanted(text)
        return [Subscription(name, *pattern) for pattern, name in held.items()]

    def leave(self) -> None:
        """The connection is lost."""
        self.seat.leave(self, dict(self.held))

    # ------------------------------------------------------------------------ time

    def tick(self, now: int) -> Effect:
        """As any session's: heartbeats are of wall time, and an ack is proof of life."""
        member = self.seat.member
        if member.acks != self._acks_seen:
            self._acks_seen = self.acks = member.acks
            self.acked_events = member.acknowledged
            self.last_ack = self.last_seen = now
        return super().tick(now)

    def _time_ns(self) -> int:
        return self.seat.time_ns()

    # ------------------------------------------------- what only the live feed has

    def upstream(self, connected: bool) -> None:
        """History is not lost."""

    def gap(self, reason: str) -> None:
        """And has no gaps."""
