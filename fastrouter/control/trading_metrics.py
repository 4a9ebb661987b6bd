"""Prometheus metrics of what trades, read when somebody scrapes.

==========================================  =======================================================
``fastrouter_orders_total{event}``          announced: ``accepted``, ``filled``, ``rejected`` …
``fastrouter_open_orders``                  that rest
``fastrouter_order_change_seconds``         histogram: from a request for a change (an order,
                                            a cancel …) to kept and announced, or refused
``fastrouter_positions``                    open
``fastrouter_equity``                       in the account's currency, as …
``fastrouter_cash``
``fastrouter_killed``                       1 while the kill switch is on
``fastrouter_risk_breaches_total{rule}``    announced
``fastrouter_strategies{status}``           as ORCH calls them
``fastrouter_strategy_restarts{strategy}``  after crashes, since it was started
``fastrouter_jobs{status}``                 ``pending`` and ``running``
==========================================  =======================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from fastrouter.control.desk import Desk
from fastrouter.control.families import MICROSECOND, counters, gauge, gauges, histogram
from fastrouter.control.jobs.jobs import Jobs
from fastrouter.control.strategies.strategy import Strategy
from fastrouter.control.tally import Tally

__all__ = ["TradingMetrics"]


class TradingMetrics(Collector):
    """Of the live desk, the strategies that trade there, and the jobs beside."""

    def __init__(
        self, desk: Desk, tally: Tally, strategies: Iterable[Strategy], jobs: Jobs
    ) -> None:
        self._desk = desk
        self._tally = tally
        self._strategies = strategies
        self._jobs = jobs

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read anything."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        yield from self._orders()
        yield from self._account()
        statuses = Counter(str(one.status) for one in self._strategies)
        yield gauges("strategies", "Strategies.", "status", statuses)
        restarts = {one.spec.id: one.record.restarts for one in self._strategies}
        yield gauges("strategy_restarts", "Restarts after crashes.", "strategy", restarts)
        yield gauges("jobs", "Jobs that have not ended.", "status", self._jobs.counts)

    def _orders(self) -> Iterator[Metric]:
        tally = self._tally
        yield counters("orders", "What became of orders.", "event", tally.orders)
        yield histogram(
            "order_change_seconds",
            "From a request to kept and announced, or refused.",
            tally.waits,
            MICROSECOND,
            tally.waited * MICROSECOND,
        )
        yield counters("risk_breaches", "Limits that were breached.", "rule", tally.breaches)

    def _account(self) -> Iterator[Metric]:
        broker = self._desk.broker
        opened = sum(len(book.orders) for book in broker.books.values())
        yield gauge("open_orders", "Orders that rest.", opened)
        yield gauge("positions", "Open positions.", len(broker.ledger.positions))
        yield gauge("equity", "Cash and what positions would bring.", float(broker.equity))
        yield gauge("cash", "Cash.", float(broker.ledger.account.cash))
        yield gauge("killed", "Whether the kill switch is on.", broker.ledger.account.killed)
