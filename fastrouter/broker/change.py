"""What one call changed: rows to write in one transaction, then events to announce."""

from __future__ import annotations

from typing import Any, NamedTuple

from .order import Order
from .row import Row

__all__ = ["NOTHING", "Change", "Draft"]


class Change(NamedTuple):
    """One state change as a value. It is false when nothing changed.

    The caller writes all `rows` in one transaction, then publishes `events`
    (kind, payload) in their order. The broker's own state is ahead until then: a
    caller that cannot write restores a broker from what it has written.
    """

    rows: tuple[Row, ...] = ()
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    #: the orders that were asked for, as they are now: submitted, canceled, replacing, closing
    orders: tuple[Order, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.events)

    @property
    def order(self) -> Order:
        """The one order that was asked for. Raises ValueError when it is not one."""
        (order,) = self.orders
        return order


NOTHING = Change()


class Draft:
    """A change in the making. Of a row that changes twice the last state is kept."""

    __slots__ = ("_accepted", "_events", "_orders", "_rows")

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Any] = {}
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._orders: list[str] = []
        self._accepted: dict[str, list[str]] = {}

    def row(self, table: str, key: str, state: Any) -> None:
        """See `Row`."""
        self._rows[table, key] = state

    def event(self, kind: str, payload: dict[str, Any]) -> None:
        self._events.append((kind, payload))

    def asked(self, order_id: str) -> None:
        """The order is one of those that the caller asked for."""
        self._orders.append(order_id)

    def accepted(self, order: Order) -> None:
        """The order was accepted in it, and no market event has met it yet."""
        self._accepted.setdefault(order.symbol, []).append(order.id)

    def arrivals(self) -> dict[str, list[str]]:
        """symbol -> ids of those `accepted` since the last time."""
        arrivals, self._accepted = self._accepted, {}
        return arrivals

    def done(self, orders: dict[str, Order]) -> Change:
        """The change; `orders` says what those asked for have become."""
        if not self._rows and not self._events:
            return NOTHING
        rows = tuple(Row(table, key, state) for (table, key), state in self._rows.items())
        return Change(rows, tuple(self._events), tuple(orders[one] for one in self._orders))
