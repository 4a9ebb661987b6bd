"""Market events meet open orders: who is served first, what is filled, what ends."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from .book import Book, held
from .change import Draft
from .ledger import Booking, Fill, Ledger
from .matching import Touch, View
from .money import ZERO, text, units
from .order import Order
from .orders import Orders
from .rules import Rules

__all__ = ["Exchange"]


class Exchange:
    """Fills orders by the rules of `matching`, as far as the books allow."""

    __slots__ = ("_ledger", "_orders", "_rules")

    def __init__(self, orders: Orders, ledger: Ledger, rules: Rules) -> None:
        self._orders = orders
        self._ledger = ledger
        self._rules = rules

    def meet(self, book: Book, view: View, now: int, draft: Draft) -> None:
        """One market event and the orders of its symbol; sells first."""
        self._expire(book, now - 1 if view.past else now, now, draft)
        if not book.orders or not book.concerns(view, now):
            return
        orders = book.orders.values()
        later = [one for one in orders if one.status != "accepted" or one.known_at != now]
        self._match(later, view, now, draft)
        self._expire(book, now, now, draft)

    def arrive(self, order_ids: Iterable[str], view: View, now: int, draft: Draft) -> None:
        """They were accepted after the view met all others: it meets them alone."""
        orders = (self._orders.by_id[one] for one in order_ids)
        self._match([one for one in orders if one.is_open], view, now, draft)

    def end(
        self, order: Order, status: str, now: int, draft: Draft, code: str = "", reason: str = ""
    ) -> None:
        """The order ends so. Raises OrderError, code ORDER_NOT_OPEN, when it has ended."""
        ended = order.moved(status, now, code=code or order.code, reason=reason or order.reason)
        self._orders.put(ended, draft)

    def _expire(self, book: Book, until: int, now: int, draft: Draft) -> None:
        for order in book.expired(until):
            self.end(order, "expired", now, draft)

    def _match(self, orders: list[Order], view: View, now: int, draft: Draft) -> None:
        for buy in (False, True):
            room = view.room(buy)
            for order, touch in _met(orders, view, buy):
                taken = self._serve(order, touch, view, room, now, draft)
                if room is not None:
                    room -= taken
                    view.take(buy, taken)

    def _serve(
        self, order: Order, touch: Touch, view: View, room: Decimal | None, now: int, draft: Draft
    ) -> Decimal:
        """Fill what can be; returns how much."""
        if touch.price is None:
            waits = order.type in ("stop", "stop_limit") and not touch.triggered
            self._rest(order, touch, waits, now, draft)
            return ZERO
        met = order._replace(triggered=touch.triggered)
        if order.qty is None:
            # what is left of its notional is to be had at this price
            met = met._replace(qty=self._units(order, touch.price), hold_price=touch.price)
            if not met.qty:
                why = f"notional: none can be had at {text(touch.price)}"
                self.end(order, "canceled", now, draft, "INSUFFICIENT_NOTIONAL", why)
                return ZERO
        amount = met.remaining if room is None else min(met.remaining, room)
        if not amount or (order.time_in_force == "fok" and amount < met.remaining):
            self._rest(order, touch, False, now, draft)
            return ZERO
        return self._fill(met, amount, touch.price, view, now, draft)

    def _units(self, order: Order, price: Decimal) -> Decimal:
        """What an order's notional comes to; without shorting, never more than can be sold."""
        assert order.notional is not None
        wanted = units(order.notional, price)
        if order.is_buy or self._rules.shorting:
            return wanted
        share = self._ledger.holding(order.symbol, order.strategy_id)
        resting = self._orders.resting(order.symbol, order.strategy_id, order.side)
        others = resting - order.remaining
        return min(wanted, max(ZERO, (share.qty if share else ZERO) - others))

    def _rest(self, order: Order, touch: Touch, waits: bool, now: int, draft: Draft) -> None:
        """Nothing of the order was filled; unless it waits for its stop, ioc and fok end."""
        if order.time_in_force in ("ioc", "fok") and not waits:
            self._end_of_time(order, now, draft)
        elif order.status == "accepted" or order.triggered != touch.triggered:
            status = "new" if order.status == "accepted" else order.status
            rests = order._replace(status=status, triggered=touch.triggered, updated_at=now)
            self._orders.put(rests, draft)

    def _end_of_time(self, order: Order, now: int, draft: Draft) -> None:
        why = f"{order.time_in_force}: {text(order.remaining)} could not be filled at once"
        self.end(order, "canceled", now, draft, "TIME_IN_FORCE", why)

    def _fill(
        self, order: Order, amount: Decimal, price: Decimal, view: View, now: int, draft: Draft
    ) -> Decimal:
        """Fill so much, if the books allow; returns how much."""
        fill = self._fill_of(order, amount, price, now)
        booking = self._ledger.booking(fill)
        if booking.opens and not order.closing:
            missing = -self._ledger.free_after(booking, self._reserved_after(booking))
            if missing > 0:
                cost = text(amount * price + fill.commission)
                why = f"{cost} is {text(missing)} more than the buying power there is"
                self.end(order, "canceled", now, draft, "INSUFFICIENT_BALANCE", why)
                return ZERO
        booking = booking.marked(view)
        self._ledger.apply(booking)
        self._orders.put(fill.order, draft, fill=fill)
        self._ledger.announce(booking, draft)
        if order.time_in_force == "ioc" and fill.order.is_open:
            self._end_of_time(fill.order, now, draft)
        return amount

    def _fill_of(self, order: Order, amount: Decimal, price: Decimal, now: int) -> Fill:
        commission = self._rules.commission.of(amount, price, not order.fills)
        after = order.moved(
            "filled" if amount == order.remaining else "partially_filled",
            now,
            filled_qty=order.filled_qty + amount,
            filled_value=order.filled_value + amount * price,
            fills=order.fills + 1,
            commission=order.commission + commission,
        )
        return Fill(f"{order.id}:{after.fills}", after, amount, price, commission, now)

    def _reserved_after(self, booking: Booking) -> Decimal:
        """What all orders would hold after it."""
        after = booking.fill.order
        book = self._orders.books[after.symbol]
        orders = [after if one.id == after.id else one for one in book.orders.values()]
        opened = [one for one in orders if one.is_open]
        after_it = held(opened, booking.position, self._rules.commission)
        return self._ledger.reserved - book.reserved + after_it


def _met(orders: list[Order], view: View, buy: bool) -> list[tuple[Order, Touch]]:
    """The orders of a side that the event meets, first served first."""
    met = []
    for order in orders:
        touch = view.touch(order) if order.is_buy == buy else None
        if touch is not None:
            met.append((order, touch))
    met.sort(key=_priority)
    return met


def _priority(met: tuple[Order, Touch]) -> tuple[int, Decimal, int]:
    """Those that take any price by time; then limits by price, then time."""
    order = met[0]
    limit = order.limit_price
    if limit is None:
        return 0, ZERO, order.number
    return 1, -limit if order.is_buy else limit, order.number
