"""A live desk in few words: its router, its store, what it announced."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import orjson

from fastrouter.broker import Broker, Change, Order
from fastrouter.control.database import Database
from fastrouter.control.live_desk import LiveDesk
from fastrouter.control.terms import Terms
from fastrouter.core.event import Quote
from fastrouter.embed import Router
from fastrouter.journal.journal import Journal

SYMBOL = "S:AAPL"
BUY = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "gtc", "qty": "10"}


class Trader:
    """``async with Trader(folder) as trader``: the store and the journal are files there.

    Without `journal`, the newest events are beside the store, as they are served.
    """

    def __init__(
        self, folder: Path | None = None, terms: Terms | None = None, *, journal: bool = True
    ) -> None:
        self.folder = folder
        self.keeps_journal = journal
        self.terms = terms or Terms()
        self.router: Router
        self.database: Database
        self.desk: LiveDesk

    async def __aenter__(self) -> Self:
        folder = self.folder
        if folder is None:
            self.journal = Journal()
        elif self.keeps_journal:
            self.journal = Journal(folder / "journal.db")
        else:
            self.journal = Journal(recent=folder / "state.db-spool")
        self.router = Router(journal=self.journal)
        self.database = Database(None if folder is None else folder / "state.db")
        self.start = self.router.last_id
        try:
            self.desk = await LiveDesk.open(
                self.router, self.database, self.terms, self.journal.delivery
            )
        except BaseException:
            await self._let_go()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.desk.close()
        await self._let_go()

    async def _let_go(self) -> None:
        await self.database.close()
        self.journal.close()

    @property
    def broker(self) -> Broker:
        return self.desk.broker

    def quote(self, bid: float = 100, ask: float = 101, symbol: str = SYMBOL, **sizes: float):
        self.router.publish(Quote(symbol, bid=bid, ask=ask, **sizes))

    async def submit(self, **fields: Any) -> Order:
        change = await self.desk.change(lambda broker, now: broker.submit(BUY | fields, now))
        return change.order

    async def do(self, call: Callable[[Broker, int], Change]) -> Change:
        return await self.desk.change(call)

    async def met(self) -> None:
        """Until the broker has met all that was published, and it is kept."""
        await self.desk.change(lambda broker, now: Change())

    def order(self, order: Order) -> Order:
        return self.broker.orders.get(order.id)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """All that was announced in this run, as the journal has it."""
        entries = self.journal.tail.page(self.start, 1 << 24)
        return [(one.event_type, orjson.loads(one.body)) for one in entries]

    def names(self) -> list[str]:
        """The same, order events by their name, others by their kind."""
        return [payload.get("event", kind) for kind, payload in self.events()]

    async def fill_the_disk(self) -> None:
        """Nothing that needs another page can be written."""
        await self.database.run(_fill)

    async def free_the_disk(self) -> None:
        await self.database.run(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone())


def _fill(connection: Any) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()


def balance(broker: Broker) -> None:
    """Cash, cost and fees are what it began with and what it made."""
    account = broker.ledger.account
    cost = sum((one.cost for one in broker.ledger.positions.values()), Decimal(0))
    assert account.cash + cost + account.fees == account.start + account.realised
