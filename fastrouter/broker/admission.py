"""Whether an order is accepted: the limits, then what there is to sell or to pay with."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .book import Book, covers, held, hold
from .ledger import Ledger
from .market import Last
from .money import PRICE_PLACES, ZERO, rounded, text
from .order import Order
from .orders import Orders
from .request import Request
from .risk import Breach, Guard, Question
from .rules import Rules

__all__ = ["Admission", "Refusal"]


class Refusal(NamedTuple):
    """Why an order is rejected; `breach` when a limit says so."""

    code: str
    message: str
    breach: Breach | None = None


class Admission:
    """Judges orders; changes nothing."""

    __slots__ = ("_guard", "_ledger", "_orders", "_rules")

    def __init__(self, orders: Orders, ledger: Ledger, guard: Guard, rules: Rules) -> None:
        self._orders = orders
        self._ledger = ledger
        self._guard = guard
        self._rules = rules

    def hold_price(self, request: Request, last: Last | None) -> Decimal:
        """What a unit is reserved at; 0 when no price is known.

        Limits and stops at their own price; a limit that sells at the bid when that
        is higher; what takes any price at the last one and the collar.
        """
        buy = request.side == "buy"
        bid, ask = last or (None, None)
        at = (ask or bid) if buy else (bid or ask)
        if request.limit_price is not None:
            return request.limit_price if buy else max(request.limit_price, at or ZERO)
        if request.stop_price is not None:
            return request.stop_price
        return rounded((at or ZERO) * (1 + self._rules.collar), PRICE_PLACES)

    def refusal(self, order: Order, now: int, instead_of: Order | None = None) -> Refusal | None:
        """Why the order cannot be accepted; `instead_of` is open and would make room for it."""
        if not order.hold_price:
            return Refusal("NO_PRICE", f"no price of {order.symbol} is known yet")
        others = self._orders.resting(order.symbol, order.strategy_id, order.side)
        if instead_of is not None:  # of the same symbol, strategy and side
            others -= instead_of.remaining
        breach = self._guard.check(self._question(order, others, now))
        if breach is not None:
            return Refusal(breach.code, f"{breach.code}: {breach.message}", breach)
        if not order.is_buy and not self._rules.shorting:
            refusal = self._too_few(order, others)
            if refusal is not None:
                return refusal
        return self._too_dear(order, instead_of)

    def _question(self, order: Order, others: Decimal, now: int) -> Question:
        held = self._held(order)
        exposure = (held if order.is_buy else -held) + order.remaining + others
        account = self._ledger.account
        most = self._rules.max_daily_loss
        return Question(
            order=order,
            limits=self._guard.of(order.strategy_id),
            killed=account.killed,
            live=account.mode == "LIVE_TRADING",
            recent=self._guard.recent(order.strategy_id, now),
            exposure=exposure,
            loss=ZERO if most is None else account.day_equity - self._ledger.equity,
            max_loss=most,
        )

    def _held(self, order: Order) -> Decimal:
        share = self._ledger.holding(order.symbol, order.strategy_id)
        return share.qty if share else ZERO

    def _too_few(self, order: Order, others: Decimal) -> Refusal | None:
        """Without shorting, only what is held and in no other order can be sold."""
        there = self._held(order) - others
        if order.remaining <= there:
            return None
        code = "INSUFFICIENT_QUANTITY"
        figures = f"{text(order.remaining)} of {order.symbol} asked, {text(there)} available"
        return Refusal(code, f"{code}: {figures}{self._elsewhere(order)}")

    def _elsewhere(self, order: Order) -> str:
        """Where the rest is, for who sells in no strategy's name."""
        shares = self._ledger.holdings.get(order.symbol, {}).values()
        kept = sum((one.qty for one in shares if one.strategy_id), ZERO)
        if order.strategy_id or kept <= 0:
            return ""
        closing = f"DELETE /v2/positions/{order.symbol}"
        return f"; strategies hold {text(kept)}, which {closing} closes"

    def _too_dear(self, order: Order, instead_of: Order | None) -> Refusal | None:
        commission = self._rules.commission
        position = self._ledger.positions.get(order.symbol)
        cover = covers(position, order.side)
        if cover and self._all_closes(order, instead_of, cover):
            return None
        if instead_of is None and not cover:
            return self._refusal(hold(order, ZERO, commission), self._ledger.free)
        book = self._orders.books.get(order.symbol) or Book()
        orders = [one for one in book.orders.values() if one is not instead_of]
        without = held(orders, position, commission) if instead_of else book.reserved
        needed = held([*orders, order], position, commission) - without
        return self._refusal(needed, self._ledger.free + book.reserved - without)

    def _all_closes(self, order: Order, instead_of: Order | None, cover: Decimal) -> bool:
        """Whether it and all open orders of its side would only close: they hold nothing."""
        rests = self._orders.resting(order.symbol, None, order.side)
        old = instead_of.remaining if instead_of else ZERO
        return rests - old + order.remaining <= cover

    def _refusal(self, needed: Decimal, there: Decimal) -> Refusal | None:
        if not needed or needed <= there:
            return None
        code = "INSUFFICIENT_BALANCE"
        figures = f"{text(needed)} needed, {text(max(ZERO, there))} available"
        return Refusal(code, f"{code}: {figures}")
