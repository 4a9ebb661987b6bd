"""Where orders are taken in a run: a paper account in simulated time.

An order is accepted in the instant that it is in the run when it comes in: its events belong to
that instant's batch, however much of it is acknowledged, and time goes on when they are, too. It
is filled by events of later instants, by the rules of `broker.matching`. Day orders expire in
the first instant of a later day: no quote of it meets them, and no bar but one that ends as they
expire. All of that is published at the end of its instant, after the quotes and bars.

With ``window=n`` it is the newest instant that was published, up to n - 1 later than the one its
client looks at. Two runs with the same orders in the same instants are the same bytes. In an
instant so large that it is published in portions, an order that comes in between has its events
at the end, too; only what it finds (the last prices, what is filled already) is of the portions
before it, and a signal stands between them.

All members of a fleet have one account; `strategy_id` says whose an order is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from ..broker import Account, Broker, Change, Rules
from ..errors import EventError, OrderError
from ..models import validate
from .equity import Equity, Point
from .floor import Floor
from .prices import RunPrices
from .report import FLAT, Filled, Held, Report, met, total_return, win_rate
from .run import Run

__all__ = ["RunDesk"]


class RunDesk:
    """A `control.desk.Desk`. What it is asked it refuses with `Run.check_open`'s codes, too.

    `symbols`: those that are known before their first event; `start` (ns): the time until then.
    """

    def __init__(
        self,
        run: Run,
        account: Account,
        rules: Rules,
        symbols: Iterable[str] = (),
        start: int = 0,
    ) -> None:
        self.broker = Broker(account, RunPrices(run.router, symbols), rules)
        self._run = run
        self._start = start
        self._held: dict[str, Held] = {}
        self._trades = self._wins = 0
        self._equity: Equity | None = None
        run.floor = Floor(self.broker, self._announce, self._value)

    def now(self) -> int:
        """Simulated time, ns since the epoch."""
        return self._run.clock.time_ns() or self._start

    async def change(self, call: Callable[[Broker, int], Change]) -> Change:
        """See `control.desk.Desk`."""
        return self._run.trade(call)

    async def settled(self) -> None:
        """See `control.desk.Desk`; nothing of a run is kept."""

    def signal(self, payload: dict[str, Any]) -> str:
        """See `control.desk.Desk`; the EventError's code may be one of `Run.check_open`, too."""
        try:
            self._run.check_open()
        except OrderError as error:
            raise EventError(str(error), code=error.code) from None
        number = self._run.router.publish("signal", validate("signal", payload))
        self._run.turn()
        return f"evt_{number}"

    @property
    def traded(self) -> bool:
        """Was there an order?"""
        return self.broker.ledger.account.sequence > 0

    def report(self) -> Report:
        """What its orders have come to so far."""
        equity = self.equity()
        return Report(
            self._trades,
            win_rate(self._wins, self._trades),
            total_return(equity.first.equity, equity.last.equity),
            float(equity.max_drawdown),
            float(equity.last.equity),
        )

    def equity(self) -> Equity:
        """How it went, from the run's first instant on."""
        if self._equity is not None:
            return self._equity
        equity = Equity(Point(self._run.first, self.broker.ledger.account.start))
        if self._run.instants:
            self._equity = equity
        return equity

    # ------------------------------------------------------------- told by the run

    def _announce(self, kind: str, payload: dict[str, Any]) -> None:
        self._run.router.publish(kind, payload)
        if kind == "trade":
            self._fill(payload)

    def _fill(self, trade: dict[str, Any]) -> None:
        units = Decimal(trade["executed_quantity"])
        fill = Filled(
            units if trade["side"] == "BUY" else -units,
            Decimal(trade["executed_price"]),
            Decimal(trade["commission"]),
        )
        held, profit = met(self._held.get(trade["symbol"], FLAT), fill)
        self._held[trade["symbol"]] = held
        if profit is not None:
            self._trades += 1
            self._wins += profit > 0

    def _value(self, now: int) -> None:
        self.equity().add(now, self.broker.equity)
