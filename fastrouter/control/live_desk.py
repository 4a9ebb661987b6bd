"""The desk that trades now: a broker fed by the router's market, durable, announced once.

::

    call, quote ─▶ broker (in the loop, at once) ─▶ rows and events ─▶ the store's thread
                                                                            │ committed
    caller has its Change ◀── published, in order, each once ◀──────────────┘

What the broker shows is ahead of the store by one commit, a few ms: `settled` waits for it. Nothing
is announced or answered before it is kept. When something cannot be kept (a full disk), neither can
what was made on top of it: callers get StoreError, the broker is what the store has, and the market
passes without effect until the store takes something again.

Orders are met by what the router quoted last, at once, and then by every quote. A store that failed
makes no quote's size come back; after a restart there are no quotes before the first.

Over a SIGKILL, the journal's file knows what was announced, or the spool that the journal has
beside the store (`journal.recent`): each event once, to sessions that resume, too. Where neither is
there any more (removed, or torn when the machine went down), the store's word counts, which lets
announced events go with the next change, or a second later: those may be announced once more.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastrouter.broker import Broker, Change, Row, restore
from fastrouter.broker.matching import QuoteView
from fastrouter.control.announcer import Announcer, Delivery
from fastrouter.control.broker_store import SCHEMA, BrokerStore, Event, Kept
from fastrouter.control.database import Database
from fastrouter.control.live_market import Bar, LiveMarket
from fastrouter.control.terms import Terms
from fastrouter.control.venue import Venue
from fastrouter.core.event import Candle, Quote
from fastrouter.errors import OrderError, StoreError

__all__ = ["LiveDesk", "open_desk"]

Call = Callable[[Broker, int], Change]

SLICE = 100  # market events in a turn of the loop: a millisecond
RETRY_SECONDS = 1.0  # between two tries of a store that fails, when nobody asks
QUIET_SECONDS = 1.0  # after the last change, when announced events are let go
LONGEST_SECONDS = 60.0  # until the clock is looked at again: it may have been set


@dataclass(slots=True)
class Pending:
    """A change on its way to the disk, and who waits for it."""

    number: int
    change: Change
    time: int
    told: list[asyncio.Future[None]] = field(default_factory=list)


class LiveDesk:
    """A `fastrouter.control.desk.Desk`. Made by `open`; all of it belongs to the loop's thread."""

    def __init__(self, router: Venue, database: Database, terms: Terms) -> None:
        self.market = LiveMarket(router.market)
        self._router = router
        self._watch = router.market
        self._database = database
        self._terms = terms
        self._store = BrokerStore(terms.account)
        self._loop = asyncio.get_running_loop()
        self._log = logging.getLogger("fastrouter.control")
        self._announcer: Announcer
        self._broker: Broker
        self._changes = 0  # the number of the last
        self._waiting: deque[Pending] = deque()
        self._session_end: int | None = None  # ns, when the clock was set
        self._seen: dict[str, int] = {}  # symbol that is watched -> when its last event came
        self._instant = 0  # of the last event or call, ns; never goes back
        self._failure: StoreError | None = None
        self._recovery: asyncio.Task[None] | None = None
        self._closing = False
        self._draining = False  # a turn that takes market events is about to come
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @classmethod
    async def open(
        cls,
        router: Venue,
        database: Database,
        terms: Terms,
        delivery: Callable[[bytes], Delivery],
    ) -> LiveDesk:
        """Take over what the store has, announce what of it nobody was told, and begin.

        Before sessions are served. `delivery` is `Journal.delivery`. Raises ConfigError for an
        account that is not that of the terms, StoreError.
        """
        database.schema("broker", SCHEMA)
        desk = cls(router, database, terms)
        kept, broker = await desk._load()
        events = await database.run(desk._store.events)
        desk._announcer = Announcer(router, delivery(kept.name))
        desk._take_over(kept, broker)
        if not kept.state["account"]:
            account = desk.broker.ledger.account
            desk._keep(Change(rows=(Row("account", account.id, account),)), desk.now())
        missing = desk._announcer.recover(events, kept.events)
        if missing:
            desk._log.warning("announced %d events of the run before", missing)
        await desk.settled()
        desk._watch.wake = desk._woken
        desk._set_clock()
        return desk

    # ------------------------------------------------------------- what a desk does

    @property
    def broker(self) -> Broker:
        """To read what is, the last few ms of it not kept yet: see `reading.read`. Another one
        after a failure: keep no reference.
        """
        return self._broker

    def now(self) -> int:
        """ns since the epoch, by the system's clock; it never goes back."""
        return max(self._router.clock.time_ns(), self._instant)

    async def change(self, call: Call) -> Change:
        """Do `call(broker, now)`, keep what it changed, announce it, and return it.

        What was published before is met first: it gives to the orders that were there then. What
        they left of the last quote meets an order as it is accepted (`broker.Rules.at_once`), and
        the answer has it as it is then. When the caller is canceled, the change is kept all the
        same. Raises OrderError, and StoreError when it could not be kept (code DRAINING: the desk
        is closed); neither changed anything.
        """
        await self._ready()
        self._catch_up()
        self._instant = now = self.now()
        try:
            return self._do(call, now)
        finally:  # what changed nothing, and what refuses, tells of what others changed
            await self._kept()

    async def settled(self) -> None:
        """Wait until all that the broker shows is kept and announced.

        What could not be is not shown thereafter: `broker` is another one then. Raises StoreError
        when something could not be kept just now, or what was kept cannot be had.
        """
        await self._kept()
        if self._failure is not None:
            if self._closing:
                raise self._failure
            await asyncio.shield(self._recover())

    async def _kept(self) -> None:
        """Wait until all changes until now are kept and announced. Raises StoreError."""
        if self._waiting:
            told: asyncio.Future[None] = self._loop.create_future()
            self._waiting[-1].told.append(told)
            await told

    def signal(self, payload: dict[str, Any]) -> str:
        """Publish a signal; its event's id. Raises EventError for what is none."""
        return f"evt_{self._router.publish('signal', payload)}"

    async def close(self) -> None:
        """Take no orders any more; keep and announce what is under way. Safe to call again."""
        if self._closing:
            return
        self._closing = True
        self._watch.wake = None
        with suppress(StoreError):
            self._catch_up()
        for timer in self._timers.values():
            timer.cancel()
        with suppress(StoreError):
            await self.settled()
        if self._recovery is not None:
            await asyncio.wait([self._recovery])
        for symbol in self._seen:
            self._watch.unwatch(symbol)
        while self._watch.take(SLICE):  # it comes too late
            pass
        with suppress(StoreError):
            await self._prune()

    # ------------------------------------------------------------- changes

    async def _ready(self) -> None:
        """Raises StoreError while nothing can be kept."""
        while self._failure is not None and not self._closing:  # who waited, too, may break it anew
            await asyncio.shield(self._recover())
        if self._closing:
            raise StoreError("the server is draining", code="DRAINING")

    def _do(self, call: Call, now: int) -> Change:
        """Change the broker, and send what changed on its way. Raises OrderError, StoreError."""
        try:
            change = call(self._broker, now)
        except OrderError:
            raise
        except Exception as error:  # our own fault: what it has done is not known
            self._log.error("the broker failed: %r", error, exc_info=error)
            raise self._fail(StoreError(f"the broker failed: {error!r}")) from error
        if change:
            self._keep(change, now)
        return change

    def _keep(self, change: Change, time: int) -> None:
        self._changes += 1
        pending = Pending(self._changes, change, time)
        self._waiting.append(pending)
        done = self._announcer.done
        written = self._database.run(
            lambda connection: self._store.write(connection, pending.number, change, time, done)
        )
        written.add_done_callback(self._written)
        self._look_at_books(time)
        if self._session_end != self._broker.ledger.account.day_end:
            self._set_clock()

    def _written(self, written: asyncio.Future[int]) -> None:
        """The first that waits was written, or could not be."""
        pending = self._waiting.popleft()
        error = written.exception()
        if error is None:
            events = enumerate(pending.change.events, written.result())
            self._announcer.announce(
                Event(number, kind, pending.time, payload) for number, (kind, payload) in events
            )
        else:
            error = self._fail(error)
        for told in pending.told:
            if told.done():
                continue
            if error is None:
                told.set_result(None)
            else:
                told.set_exception(error)
        if error is None and not self._waiting:
            self._set("quiet", QUIET_SECONDS, self._quiet)

    def _quiet(self) -> None:
        self._prune().add_done_callback(_ignore)

    def _prune(self) -> asyncio.Future[None]:
        """Let go of the events that are announced."""
        return self._database.run(partial(self._store.prune, done=self._announcer.done))

    # ------------------------------------------------------------- the market

    def _woken(self) -> None:
        if not self._draining:
            self._draining = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._draining = False
        with suppress(StoreError):
            self._take(SLICE)
        if self._watch.pending:
            self._woken()

    def _take(self, most: int) -> None:
        """Meet the oldest market events. Raises StoreError."""
        for event in self._watch.take(most):
            if self._failure is not None:  # it passes without effect
                continue
            self._instant = now = max(self._router.clock.time_ns(), self._instant + 1)
            before = self._seen.get(event.symbol)
            if before is None:  # it was watched when it was published
                continue
            self._seen[event.symbol] = now
            self._do(partial(_meet, event, before), now)

    def _catch_up(self) -> None:
        """Meet all that was published until now. Raises StoreError."""
        while self._watch.pending:
            self._take(SLICE)

    def _look_at_books(self, now: int) -> None:
        """Watch the symbols with open orders or a position, and no others."""
        books = self._broker.books
        if books.keys() == self._seen.keys():
            return
        for symbol in books.keys() - self._seen.keys():
            self._watch.watch(symbol)
            self._seen[symbol] = now - 1  # the bar that comes next had begun
        for symbol in self._seen.keys() - books.keys():
            self._watch.unwatch(symbol)
            del self._seen[symbol]

    # ------------------------------------------------------------- the clock

    def _set_clock(self) -> None:
        self._session_end = self._broker.ledger.account.day_end
        due = self._broker.wakes_at
        left = LONGEST_SECONDS if due is None else (due - self.now()) / 1e9
        soonest = 0.0 if self._failure is None else RETRY_SECONDS  # what is due stays so meanwhile
        self._set("clock", max(soonest, min(left, LONGEST_SECONDS)), self._clock_rings)

    def _clock_rings(self) -> None:
        due = self._broker.wakes_at
        if due is not None and self._failure is None and self.now() >= due:
            with suppress(StoreError):
                self._catch_up()
                self._instant = now = self.now()
                self._do(Broker.on_clock, now)
        self._set_clock()

    def _set(self, name: str, seconds: float, ring: Callable[[], None]) -> None:
        """One timer of that name, set anew."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if not self._closing:
            self._timers[name] = self._loop.call_later(seconds, ring)

    # ------------------------------------------------------------- failure

    def _fail(self, error: BaseException) -> StoreError:
        """From here on nothing is taken until the broker is what the store has."""
        known = error if isinstance(error, StoreError) else StoreError(f"not kept: {error!r}")
        if self._failure is None:
            self._failure = known
            self._log.error("orders are not taken: %s", known)
            self._set("retry", RETRY_SECONDS, self._retry)
        return known

    def _retry(self) -> None:
        if self._failure is not None and not self._closing:
            self._recover()

    def _recover(self) -> asyncio.Task[None]:
        """Try it, once at a time. The task raises StoreError."""
        if self._recovery is None or self._recovery.done():
            self._recovery = self._loop.create_task(self._restore(), name="restore broker")
            self._recovery.add_done_callback(_ignore)
        return self._recovery

    async def _restore(self) -> None:
        while self._waiting:  # they fail, too
            with suppress(StoreError):
                await self._kept()
        try:
            kept, broker = await self._load()
        except StoreError:
            self._set("retry", RETRY_SECONDS, self._retry)
            raise
        self._catch_up()  # what of the market was published meanwhile passes
        broker.succeed(self._broker)
        self._take_over(kept, broker)
        self._failure = None
        self._log.warning("orders are taken again")

    async def _load(self) -> tuple[Kept, Broker]:
        """What the store has, and a broker that is so: made in its thread, for it may take long."""
        now = self.now()
        return await self._database.run(lambda connection: self._read(connection, now))

    def _read(self, connection: sqlite3.Connection, now: int) -> tuple[Kept, Broker]:
        rules = self._terms.rules
        kept = self._store.load(connection, rules.remember, now)
        state = self._terms.applied(kept.state)
        orders = state["orders"].values()
        try:
            times = (order[name] or 0 for order in orders for name in ("updated_at", "known_at"))
            state["now"] = max(now, *times, 0)  # the clock may have been set back since
            return kept, restore(state, self.market, rules)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"the store's broker cannot be used: {error!r}") from error

    def _take_over(self, kept: Kept, broker: Broker) -> None:
        """Be what the store has."""
        self._instant = max(self._instant, broker.now or 0)
        self._changes = kept.changes
        self._broker = broker
        self.market.ordered({order.symbol for order in broker.orders})
        self._look_at_books(self.now())
        self._mark()

    def _mark(self) -> None:
        """Value what is held at the last prices: rows have those of the last fill."""
        for symbol in self._broker.ledger.holdings:
            pair = self._watch.last(symbol)
            if pair is not None:
                quote = Quote(symbol, bid=pair[0], ask=pair[1])
                self._broker.ledger.mark(symbol, QuoteView(quote))


def _meet(event: Quote | Candle, before: int, broker: Broker, now: int) -> Change:
    if isinstance(event, Quote):
        return broker.on_quote(event, now)
    return broker.on_bar(Bar.of(event, before, now), now)


def _ignore(task: asyncio.Future[Any]) -> None:
    """Whether it went well is known to who waited for it."""
    if not task.cancelled():
        task.exception()


#: of the kind "paper"
open_desk = LiveDesk.open
