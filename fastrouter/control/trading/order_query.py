"""Which orders a listing has, and in what order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import nlargest, nsmallest
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator

from fastrouter.broker import Broker, Order
from fastrouter.control.trading.slices import slices
from fastrouter.control.trading.symbols import wanted_symbol
from fastrouter.errors import OrderError

__all__ = ["OrderQuery", "listed"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOST = 500  # orders a page
SLICE = 250  # orders, of which half a millisecond is made


def _no_number(value: Any) -> Any:
    """pydantic takes numbers for Unix times; ValueError for those."""
    if isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdecimal():
        raise ValueError("it must be a time as ISO-8601 has it")
    return value


Instant = Annotated[datetime, BeforeValidator(_no_number)]

#: what an order passes to be listed
Test = Callable[[Order], bool]


class OrderQuery(BaseModel):
    """Alpaca's parameters. `after` and `until` are exclusive, and of the submission."""

    status: Literal["open", "closed", "all"] = "open"
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50
    after: Instant | None = None
    until: Instant | None = None
    after_order_id: str | None = None
    before_order_id: str | None = None
    direction: Literal["asc", "desc"] = "desc"
    symbols: str | None = None
    side: Literal["buy", "sell"] | None = None
    nested: bool = False


async def listed(broker: Broker, query: OrderQuery, strategy_id: str | None) -> list[Order]:
    """A page of the orders that are remembered. Raises OrderError: ORDER_NOT_FOUND.

    The loop serves others meanwhile: the orders are those of the moment when it was called.
    """
    found = broker.open_orders() if query.status == "open" else list(broker.orders)
    tests = _tests(broker, query, strategy_id)
    passed: list[Order] = []
    async for some in slices(found, SLICE):
        passed += [order for order in some if all(test(order) for test in tests)]
    first = nlargest if query.direction == "desc" else nsmallest
    return first(query.limit, passed, key=lambda order: order.number)


def _tests(broker: Broker, query: OrderQuery, strategy_id: str | None) -> list[Test]:
    tests: list[Test] = []
    if query.status == "closed":
        tests.append(lambda order: not order.is_open)
    if strategy_id is not None:
        tests.append(lambda order: order.strategy_id == strategy_id)
    if query.after is not None:
        after = _microseconds(query.after)
        tests.append(lambda order: order.submitted_at // 1000 > after)
    if query.until is not None:
        until = _microseconds(query.until)
        tests.append(lambda order: order.submitted_at // 1000 < until)
    if query.after_order_id is not None:
        least = broker.orders.get(query.after_order_id).number
        tests.append(lambda order: order.number > least)
    if query.before_order_id is not None:
        most = broker.orders.get(query.before_order_id).number
        tests.append(lambda order: order.number < most)
    if query.side is not None:
        tests.append(lambda order: order.side == query.side)
    if query.symbols is not None:
        symbols = _symbols(broker, query.symbols)
        tests.append(lambda order: order.symbol in symbols)
    return tests


def _symbols(broker: Broker, text: str) -> frozenset[str]:
    """Those of the names that there are."""
    found = set()
    for name in text.split(","):
        try:
            found.add(broker.market.resolve(wanted_symbol(broker.market, name.strip())))
        except OrderError:
            continue
    return frozenset(found)


def _microseconds(time: datetime) -> int:
    """Since the epoch, as precise as answers are; a time without a zone is UTC."""
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND
