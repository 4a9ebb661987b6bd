"""What a session has in a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ErrorCode, MessageError
from .member import Member
from .run import Run

if TYPE_CHECKING:
    from ..core.router import Router
    from .host import Engine, Hosted

__all__ = ["Close", "Place", "Seat", "Session"]

Close = Callable[[int, str], object]
"""Closes a connection, with a WebSocket close code and the reason."""


class Session(Protocol):
    """The side of a session that a run sees."""

    id: str
    outbox: Any

    @property
    def held(self) -> dict[tuple[str, str], str]: ...

    def send(self, kind: str, /, **fields: Any) -> None: ...


def _nobody(code: int, reason: str) -> None:
    """There is no connection yet."""


class _Closed:
    """An outbox that is closed."""

    closed = True


class _Past:
    """Stands for a session that is over, and is not kept by it."""

    outbox = _Closed()
    held: dict[tuple[str, str], str] = {}  # noqa: RUF012 -- nobody adds to it

    def __init__(self, number: str) -> None:
        self.id = number

    def send(self, kind: str, /, **fields: Any) -> None:
        """There is nobody to be told."""


class Place:
    """A member, and who sits there now or did last."""

    session: Session

    def __init__(self, member: Member, session: Session, close: Close) -> None:
        self.member = member
        self.session = session
        self.close = close
        self.subject: str | None = None  # whose it is, from its beginning on
        self.held: dict[tuple[str, str], str] = {}  # what the last one was subscribed to

    def vacate(self, held: dict[tuple[str, str], str]) -> None:
        """Its connection is lost: keep nothing of the session but what it was subscribed to."""
        self.held = held
        self.session = _Past(self.session.id)
        self.close = _nobody


class Seat:
    """One connection's way into a run: given at the handshake, left when it is lost.

    In this order: `sit`, then `begin`, then `leave`.
    """

    def __init__(self, engine: Engine, hosted: Hosted, place: Place | None) -> None:
        self._engine = engine
        self._hosted = hosted
        self._place = place
        self._session: Session | None = None
        self._close: Close = _nobody
        #: what it held before, when it comes back; None: it is new
        self.held = dict(place.held) if place is not None else None

    @property
    def run(self) -> Run:
        """The run."""
        return self._hosted.run

    @property
    def router(self) -> Router:
        """Whom the session's outbox is of."""
        return self._hosted.run.router

    @property
    def member(self) -> Member:
        """Takes its acks; there is one from `sit` on."""
        assert self._place is not None
        return self._place.member

    @property
    def taker(self) -> Member:
        """The same, for who reads acks in C."""
        return self.member

    def time_ns(self) -> int:
        """Simulated time, ns since the epoch; before the first instant where the run begins."""
        return self._hosted.time_ns()

    def sit(self, session: Session, close: Close) -> None:
        """The connection is open. MessageError when somebody else was quicker."""
        self._session, self._close = session, close
        if self._place is None:
            member = self.run.join(session.outbox)
            self._place = Place(member, session, close)
            self._hosted.places.append(self._place)
        else:
            session.outbox.hold()

    def fields(self) -> dict[str, Any]:
        """What its welcome says."""
        wanted = self._hosted.wanted
        return {
            "run_id": self.run.id,
            "member": self.member.number,
            "clients": self.run.clients,
            "window": self.run.window,
            "evict": None if wanted.evict is None else wanted.evict / 1e9,
            "dataset": wanted.dataset,
        }

    def begin(self, subject: str | None) -> None:
        """It is subscribed, and `subject` is who it is: let it go on where it was, or begin.

        MessageError when another has come back for the same member, or the member is another's.
        """
        place = self._place
        assert place is not None
        assert self._session is not None
        if self.held is None:
            place.subject = subject
            self._engine.begin(self._hosted, place.member)
        elif place.subject != subject:
            raise MessageError(f"run {self.run.id} is another's", code=ErrorCode.FORBIDDEN)
        elif self._hosted.last is not None:
            self._engine.tell_again(self._hosted, self._session, self._close)
        else:
            self.run.resume(place.member, self._session.outbox)
            place.session, place.close = self._session, self._close
            self.run.turn()

    def leave(self, session: Session, held: dict[tuple[str, str], str]) -> None:
        """Its connection is lost."""
        place = self._place
        self._session, self._close = None, _nobody
        if place is not None and place.session is session:
            place.vacate(held)
            self.run.leave(place.member)
            self._engine.left(self._hosted)
