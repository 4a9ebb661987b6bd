"""The open orders of one symbol, and which market events can concern them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from .commission import Commission
from .matching import View
from .money import ZERO
from .order import Order
from .position import Position

__all__ = ["Book", "covers", "held", "hold"]

Level = Decimal | None
NEVER = 2**63 - 1  # ns


class Book:
    """Open orders by the time they came."""

    __slots__ = ("_eager", "_expiry", "_levels", "_stale", "orders", "reserved")

    def __init__(self) -> None:
        #: id -> order, in time priority
        self.orders: dict[str, Order] = {}
        #: buying power that they hold
        self.reserved = ZERO
        self._stale = True
        self._eager = False
        self._expiry: int | None = None
        self._levels: tuple[Level, Level, Level, Level] = (None, None, None, None)

    def put(self, order: Order) -> None:
        """Keep the order as it is now; one that is not open is none of ours."""
        if order.is_open:
            self.orders[order.id] = order
        else:
            self.orders.pop(order.id, None)
        self._stale = True

    def expired(self, now: int) -> list[Order]:
        """The orders whose session has ended."""
        if self._stale:
            self._look()
        if self._expiry is None or now < self._expiry:
            return []
        return [one for one in self.orders.values() if _expiry(one) <= now]

    @property
    def expiry(self) -> int | None:
        """When the first of them expires, ns."""
        if self._stale:
            self._look()
        return self._expiry

    def concerns(self, view: View, now: int) -> bool:
        """Whether the event may change any of the orders; most that rest it does not."""
        if self._stale:
            self._look()
        if self._eager or (self._expiry is not None and now >= self._expiry):
            return True
        buy_limit, buy_stop, sell_limit, sell_stop = self._levels
        if view.asks is not None:
            low, high = view.asks
            if buy_limit is not None and low <= buy_limit:
                return True
            if buy_stop is not None and high >= buy_stop:
                return True
        if view.bids is None:
            return False
        low, high = view.bids
        if sell_limit is not None and high >= sell_limit:
            return True
        return sell_stop is not None and low <= sell_stop

    def _look(self) -> None:
        """Find the nearest prices at which something happens."""
        orders = self.orders.values()
        self._eager = any(map(_is_eager, orders))
        expiry = min(map(_expiry, orders), default=NEVER)
        self._expiry = None if expiry == NEVER else expiry
        limits = [one for one in orders if one.limit_price and _is_limit(one)]
        stops = [one for one in orders if one.stop_price and not one.triggered]
        self._levels = (
            max((one.limit_price for one in limits if one.is_buy), default=None),  # type: ignore
            min((one.stop_price for one in stops if one.is_buy), default=None),  # type: ignore
            min((one.limit_price for one in limits if not one.is_buy), default=None),  # type: ignore
            max((one.stop_price for one in stops if not one.is_buy), default=None),  # type: ignore
        )
        self._stale = False


def covers(position: Position | None, side: str) -> Decimal:
    """How many units on this side would only close the position."""
    if position is None:
        return ZERO
    return max(ZERO, -position.qty if side == "buy" else position.qty)


def hold(order: Order, covered: Decimal, commission: Commission) -> Decimal:
    """The buying power that an order holds, of which so much is covered by the position."""
    remaining = order.remaining
    opening = remaining - covered
    if not opening:
        return ZERO
    fee = commission.of(opening, order.hold_price, not order.fills)
    if order.qty is None and not covered:
        assert order.notional is not None
        return order.notional + fee
    return opening * order.hold_price + fee


def held(orders: Iterable[Order], position: Position | None, commission: Commission) -> Decimal:
    """What all orders of a symbol hold, in time: what of them may open a position, at its price.

    What the position covers holds nothing.
    """
    cover = {side: covers(position, side) for side in ("buy", "sell")}
    total = ZERO
    for order in orders:
        covered = min(cover[order.side], order.remaining)
        cover[order.side] -= covered
        total += hold(order, covered, commission)
    return total


def _expiry(order: Order) -> int:
    return NEVER if order.expires_at is None else order.expires_at


def _is_limit(order: Order) -> bool:
    """Whether it waits for its limit: a stop_limit does when it is triggered."""
    return order.type == "limit" or order.triggered


def _is_eager(order: Order) -> bool:
    """Whether any event of its side changes it."""
    return (
        order.status == "accepted"
        or order.type == "market"
        or (order.type == "stop" and order.triggered)
    )
