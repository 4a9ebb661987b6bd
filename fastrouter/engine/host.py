"""Every run of one process: made, found again, fed with data, told about, forgotten."""

from __future__ import annotations

import asyncio
import logging
import secrets
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from ..core.clock import Clock
from ..core.leaves import iso8601
from ..errors import CloseCode, ErrorCode, FastrouterError, MessageError
from .catalog import Catalog
from .desk import RunDesk
from .hosted import Ended, Hosted, Last, Options
from .member import Member
from .memory import Memory
from .merge import Stretch
from .news import Completed, Evicted, Failed
from .query import Wanted
from .run import Run
from .seat import Close, Place, Seat, Session
from .stream import BadRows, Stream
from .synthetic import NAME, Synthetic
from .track import EVERYTHING

__all__ = ["Ended", "Engine", "Hosted", "Options"]

SECOND = 1_000_000_000  # ns
LOOKS = 0.25  # s between two looks at who keeps a run waiting
UNKNOWN = ""  # subject of who has yet to prove it
REMEMBERED = 8  # runs that are over
UNUSED = 10 * SECOND  # ns for a handshake to become a session


#: what is asked of a run, not of a member
OF_THE_RUN = (
    *("dataset", "start", "end", "symbols", "window", "clients", "evict"),
    *("account", "cash", "commission", "shorting"),
)


class Engine:
    """Where the sessions of a backtest's route belong; of one event loop.

    `catalog` None: there is nothing but the synthetic data set. `wall` is a monotonic clock.
    The owner closes it. Raises ConfigError for options that cannot be.
    """

    def __init__(
        self, catalog: Catalog | None, wall: Clock, options: Options | None = None
    ) -> None:
        self.catalog = catalog
        self.options = Options() if options is None else options
        self.options.check()
        self.runs: dict[str, Hosted] = {}
        #: called when a run is over that had begun
        self.on_over: Callable[[Ended], object] | None = None
        self._over: dict[str, Hosted] = {}  # the last few
        self.log = logging.getLogger("fastrouter.engine")
        self._wall = wall
        self._memory = Memory()
        self._names_bad_rows = True  # in the log
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    # ------------------------------------------------------------------ handshake

    def admit(
        self,
        names: Collection[str],
        parameter: Callable[[str], str | None],
        subject: str | None,
    ) -> Seat:
        """A seat for a request with this query. Raises MessageError, with the reason's code.

        `subject` is None without auth, "" of who has yet to prove it.
        """
        wanted = Wanted.read(names, parameter)
        hosted = self.runs.get(wanted.run) if wanted.run is not None else None
        if hosted is not None:
            return self._find(hosted, wanted, subject)
        if wanted.run is not None and wanted.clients is None:
            if wanted.run in self._over:
                return self._find_over(self._over[wanted.run], wanted, subject)
            raise MessageError(
                f"there is no run {wanted.run!r} any more; with clients=n one of that name begins",
                code="NO_SUCH_RUN",
            )
        return Seat(self, self._make(wanted), None)

    def _find(self, hosted: Hosted, wanted: Wanted, subject: str | None) -> Seat:
        """A seat in a run that there is: one that is free, or that was left."""
        run = hosted.run
        _check_same(hosted, wanted)
        mine = [place for place in hosted.places if _may_be_of(place, subject)]
        if wanted.member is not None:
            mine = _numbered(hosted, mine, wanted.member)
            return Seat(self, hosted, _vacated(run, mine[0]))
        if len(run.members) < run.clients and not run.begun:
            return Seat(self, hosted, None)
        away = [place for place in mine if place.member.outbox is None]
        if away or (run.clients == 1 and mine):
            return Seat(self, hosted, _vacated(run, (away or mine)[0]))
        raise MessageError(f"run {run.id} has its {run.clients} clients", code="RUN_FULL")

    def _find_over(self, hosted: Hosted, wanted: Wanted, subject: str | None) -> Seat:
        """A seat for who missed the end, to be told it again."""
        _check_same(hosted, wanted)
        mine = [place for place in hosted.places if subject in (UNKNOWN, place.subject)]
        if hosted.last is None or not mine:
            raise MessageError(f"there is no run {wanted.run!r} any more", code="NO_SUCH_RUN")
        if wanted.member is not None:
            mine = _numbered(hosted, mine, wanted.member)
        return Seat(self, hosted, mine[0])

    def _make_room(self) -> None:
        """When there are too many runs, one gives way in which nobody is: the one left longest."""
        left = {
            hosted.run.id: max(member.away_since for member in hosted.run.members)
            for hosted in self.runs.values()
            if hosted.run.members and hosted.run.away == len(hosted.run.members)
        }
        if len(self.runs) < self.options.runs or not left:
            return
        run = self.runs[min(left, key=left.__getitem__)].run
        self.log.warning("run %s gives way: nobody is in it, and there are too many", run.id)
        for member in list(run.members):
            run.quit(member, "away")

    def _make(self, wanted: Wanted) -> Hosted:
        self._make_room()
        if len(self.runs) >= self.options.runs:
            raise MessageError(
                f"there are {len(self.runs)} runs; allowed: {self.options.runs}",
                code="LIMIT_EXCEEDED",
            )
        name = wanted.run or f"run_{secrets.token_hex(8)}"
        window, clients = wanted.window or 1, wanted.clients or 1
        dataset = self._named(wanted.dataset)
        wanted = wanted._replace(dataset=dataset, run=name, window=window, clients=clients)
        run = Run(
            name,
            self._wall,
            window=window,
            clients=clients,
            evict=wanted.evict or 0,
            patience=int(self.options.idle_seconds * SECOND),
            candles=self.options.candles,
            price=self.options.price,
            outbox_bytes=self.options.outbox_bytes,
        )
        hosted = self.runs[run.id] = Hosted(run, wanted, self._wall.time_ns())
        run.router.wake = _waker(self._loop, run)
        run.on_news = lambda: self._tell(hosted)
        self._look_later()
        return hosted

    def _named(self, dataset: str | None) -> str:
        """The name of a data set that there is."""
        names = self.names()
        name = dataset or self.options.dataset or (names[0] if len(names) == 1 else None)
        if name in names:
            return name
        if why := self.bad().get(name or ""):
            raise MessageError(f"data set {name!r}: {why}", code="NO_SUCH_DATASET")
        there = ", ".join(names) or "none"
        if name is None:
            raise MessageError(
                f"dataset is missing; there are: {there}; say ?dataset=NAME, or have the server "
                "choose: fastrouter serve --dataset NAME, setting backtest.dataset",
                code="NO_SUCH_DATASET",
            )
        raise MessageError(
            f"there is no data set {name[:100]!r}; there are: {there}", code="NO_SUCH_DATASET"
        )

    def names(self) -> list[str]:
        """The data sets that there are."""
        return [NAME] if self.catalog is None else self.catalog.names()

    def bad(self) -> dict[str, str]:
        """What looks like a data set and is none: its name, and why."""
        return {} if self.catalog is None else self.catalog.bad()

    # --------------------------------------------------------------------- orders

    def desk(self, name: str, subject: str | None) -> RunDesk:
        """Where that run's orders are taken. Of one that is over all can be read, for a while.

        `subject` is who asks, None without auth and of who may see all. Raises MessageError:
        NO_SUCH_RUN, FORBIDDEN (no member is of that subject).
        """
        hosted = self.runs.get(name) or self._over.get(name)
        if hosted is None:
            raise MessageError(f"there is no run {name[:100]!r}", code="NO_SUCH_RUN")
        if subject is not None and subject not in hosted.subjects:
            raise MessageError(f"run {name} is another's", code=ErrorCode.FORBIDDEN)
        return hosted.desk_of(self.options)

    # ----------------------------------------------------------------------- data

    def begin(self, hosted: Hosted, member: Member) -> None:
        """A member is ready; the first brings the data in."""
        hosted.subjects.update(
            (place.subject, None) for place in hosted.places if place.member is member
        )
        if hosted.reading is None:
            hosted.reading = self._loop.create_task(self._read(hosted), name=hosted.run.id)
        hosted.run.begin(member)

    async def _read(self, hosted: Hosted) -> None:
        """Read in a thread, a stretch ahead of the run."""
        run = hosted.run
        hungry = asyncio.Event()
        run.tape.on_hunger = hungry.set
        bad = BadRows(run, self.log if self._names_bad_rows else None)
        stream = Stream(lambda: self._open(hosted.wanted, bad))
        try:
            while stretch := await asyncio.to_thread(stream.take):
                run.tape.feed(stretch)
                run.turn()
                while not run.tape.hungry:
                    hungry.clear()
                    await hungry.wait()
            bad.end()
            run.tape.end()
            run.turn()
        except (FastrouterError, OSError) as error:
            run.fail(str(error))
        except Exception as error:  # our fault; nobody is to wait for ever all the same
            self.log.exception("run %s: its data cannot be read", run.id)
            run.fail(f"{type(error).__name__}: {error}")
        finally:
            self._loop.run_in_executor(None, stream.close)

    def _open(self, wanted: Wanted, on_bad: BadRows) -> Iterator[Stretch]:
        span = wanted.span
        if self.catalog is None:
            return Synthetic().stretches(span, on_bad)
        data = self.catalog.open(str(wanted.dataset))
        return self._memory.stretches(
            (*data.versions, span),
            lambda bad: data.stretches(span, bad, self.options.candles),
            on_bad,
            data.size if span == EVERYTHING else 0,
        )

    # ----------------------------------------------------------------------- news

    def _tell(self, hosted: Hosted) -> None:
        news, hosted.run.news[:] = list(hosted.run.news), []
        for one in news:
            TELLERS[type(one)](self, hosted, one)
        if hosted.run.over:
            self._forget(hosted)

    def _completed(self, hosted: Hosted, news: Completed) -> None:
        hosted.why = "completed"
        fields = news.totals.fields(iso8601)
        if hosted.desk is not None and hosted.desk.traded:
            fields["report"] = hosted.desk.report()._asdict()
        if unknown := hosted.unknown_symbols():
            fields["unknown_symbols"] = unknown
            self.log.warning("run %s: no row has %s", hosted.run.id, ", ".join(unknown)[:1000])
        fields = {"event": "BACKTEST_COMPLETE", "run_id": hosted.run.id, **fields}
        self._tell_last(hosted, Last("connection", fields, CloseCode.DONE, "backtest complete"))

    def _tell_last(self, hosted: Hosted, last: Last) -> None:
        """Tell all, and keep it for who has missed it."""
        hosted.last = last
        for place in _here(hosted.places):
            place.session.send(last.kind, **last.fields)
            place.close(last.code, last.reason)

    def tell_again(self, hosted: Hosted, session: Session, close: Close) -> None:
        """Who has come back after the end is told as the others were."""
        last = hosted.last
        if last is not None:
            session.send(last.kind, **last.fields)
            self._loop.call_soon(close, last.code, last.reason)

    def _evicted(self, hosted: Hosted, news: Evicted) -> None:
        for place in _here(hosted.places):
            gone = place.member is news.member
            place.session.send(
                "connection",
                event="LAGGARD_EVICTED",
                session_id=self._session_of(hosted, news.member),
                run_id=hosted.run.id,
                member=news.member.number,
                reason=news.reason,
            )
            if gone:
                place.close(CloseCode.POLICY, "laggard evicted")
        self.log.info("run %s goes on without member %d", hosted.run.id, news.member.number)

    def _session_of(self, hosted: Hosted, member: Member) -> str:
        (found,) = (place.session.id for place in hosted.places if place.member is member)
        return found

    def _failed(self, hosted: Hosted, news: Failed) -> None:
        hosted.why = "failed"
        self.log.warning("run %s has failed: %s", hosted.run.id, news.reason)
        shown = news.reason if self.catalog is None else self.catalog.shown(news.reason)
        fields = {"code": "DATA_ERROR", "message": shown}
        reason = "the data cannot be read on"
        self._tell_last(hosted, Last("error", fields, CloseCode.INTERNAL_ERROR, reason))

    def left(self, hosted: Hosted) -> None:
        """A connection is lost."""
        if hosted.run.over:
            self._forget(hosted)
        else:
            hosted.places = [place for place in hosted.places if not place.member.gone]

    def _forget(self, hosted: Hosted) -> None:
        if hosted.reading is not None:
            hosted.reading.cancel()
            hosted.reading = None  # what it failed with knows its frames, and those the run
        if self.runs.get(hosted.run.id) is hosted:
            del self.runs[hosted.run.id]
            if hosted.run.begun:
                self._end(hosted)
            hosted.run.release()

    def _end(self, hosted: Hosted) -> None:
        """Keep it for who asks, and tell."""
        run, desk = hosted.run, hosted.desk_of(self.options)
        hosted.places = [place for place in hosted.places if not place.member.gone]
        self._over[run.id] = hosted
        while len(self._over) > REMEMBERED:
            del self._over[next(iter(self._over))]
        if self.on_over is not None:
            dataset = str(hosted.wanted.dataset)
            points = desk.equity().points()
            self.on_over(Ended(run.id, dataset, hosted.why, run.totals(), desk.report(), points))

    # ----------------------------------------------------------------------- time

    def _look_later(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = self._loop.call_later(LOOKS, self._look)

    def _look(self) -> None:
        """Wall time has passed: for those who are away, or lag, or never came."""
        self._timer = None
        now = self._wall.time_ns()
        for hosted in list(self.runs.values()):
            hosted.run.tick()
            unused = not hosted.run.members and now - hosted.made > UNUSED
            if hosted.run.over or unused:
                self._forget(hosted)
        if self.runs:
            self._look_later()

    async def close(self) -> None:
        """Forget all runs."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        tasks = [hosted.reading for hosted in self.runs.values() if hosted.reading is not None]
        for hosted in list(self.runs.values()):
            self._forget(hosted)
        await asyncio.gather(*tasks, return_exceptions=True)


def _check_same(hosted: Hosted, wanted: Wanted) -> None:
    """MessageError when something else is asked of the run than it is."""
    for name in OF_THE_RUN:
        asked, has = getattr(wanted, name), getattr(hosted.wanted, name)
        if asked is not None and asked != has:
            raise MessageError(
                f"run {hosted.run.id} has another {name}; allowed: none, or the same"
            )


def _numbered(hosted: Hosted, places: list[Place], number: int) -> list[Place]:
    """The one of that member. MessageError when there is none."""
    found = [place for place in places if place.member.number == number]
    if not found:
        raise MessageError(
            f"run {hosted.run.id} has no member {number} of yours", code="NO_SUCH_MEMBER"
        )
    return found


def _waker(loop: asyncio.AbstractEventLoop, run: Run) -> Callable[[], None]:
    """Gives the run its turn, and does not keep it: its router keeps this."""
    there = weakref.ref(run)

    def wake() -> None:
        if (found := there()) is not None:
            loop.call_soon(found.turn)

    return wake


def _may_be_of(place: Place, subject: str | None) -> bool:
    """Is it theirs? Of who has not said who it is, that is seen later: it takes nobody's seat."""
    if place.member.gone:
        return False
    return place.member.outbox is None if subject == UNKNOWN else place.subject == subject


def _vacated(run: Run, place: Place) -> Place:
    """A place whose connection is gone, or is now: it may not be known yet that it is lost."""
    if place.member.outbox is not None:
        place.held = dict(place.session.held)
        run.leave(place.member)
        place.close(CloseCode.POLICY, "another connection has come for this member")
    return place


def _here(places: Iterable[Place]) -> list[Place]:
    """Those whose connection is open, or has just been given up."""
    return [place for place in places if not place.session.outbox.closed]


TELLERS: dict[type, Callable[[Engine, Hosted, Any], None]] = {
    Completed: Engine._completed,
    Evicted: Engine._evicted,
    Failed: Engine._failed,
}
