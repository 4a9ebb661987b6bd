"""A paper broker: takes orders, fills them by market events, keeps the books.

It does no I/O and reads no clock: `now` (ns) is an argument of every call, so live
and backtest differ by who calls. What a call changed is its `Change`: rows to
write, then events to announce.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from fastrouter.errors import OrderError

from .account import Account
from .arrival import Arrival
from .book import Book
from .change import NOTHING, Change, Draft
from .closing import Closing
from .day_loss import DayLoss
from .exchange import Exchange
from .intake import Intake, duplicate
from .ledger import Ledger
from .market import Market
from .matching import Bar, BarView, Quotation, QuoteView, View
from .money import ZERO, exact, text
from .order import Order
from .orders import Orders
from .payloads import account_event, risk_event
from .position import Position
from .request import Request, amount
from .risk import Breach, Guard, Limits
from .rules import Rules
from .standing import kill_switch, standings

__all__ = ["Broker"]


class Broker:
    """One account and its orders. Calls come one at a time.

    Whoever asks for what cannot be gets an OrderError, and nothing has changed. An
    order that is well formed but refused is an order that is ``rejected``.
    """

    __slots__ = (
        *("_arrival", "_closing", "_day_loss", "_exchange", "_guard", "_intake", "_now"),
        *("books", "ledger", "market", "orders", "rules"),
    )

    def __init__(self, account: Account, market: Market, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.market = market
        self.ledger = Ledger(account)
        self.orders = Orders(self.ledger, self.rules.commission, self.rules.remember)
        #: the symbols whose events matter: with open orders, or held
        self.books = self.orders.books
        self._guard = Guard()
        self._day_loss = DayLoss(self.ledger, self.rules.max_daily_loss)
        self._exchange = Exchange(self.orders, self.ledger, self.rules)
        self._intake = Intake(self.orders, self.ledger, self._guard, self.rules, market)
        self._closing = Closing(self.orders, self.ledger, self._guard, self._exchange, self._intake)
        self._arrival = Arrival(market, self._day_loss, self._exchange, self._closing)
        self._now: int | None = None

    # -------------------------------------------------------------- market events

    def on_quote(self, quote: Quotation, now: int) -> Change:
        """The market has this quote. A symbol without orders and position costs a look-up."""
        self._now = now
        book = self.books.get(quote.symbol)
        if book is None:
            return NOTHING
        view = QuoteView(quote)
        if self.rules.at_once:
            self._arrival.quoted(quote.symbol, view)
        return self._on_view(quote.symbol, book, view, now)

    def on_bar(self, bar: Bar, now: int) -> Change:
        """A bar closed; one that has not says nothing."""
        self._now = now
        book = self.books.get(bar.symbol)
        if book is None or not bar.closed:
            return NOTHING
        return self._on_view(bar.symbol, book, BarView(bar, self.rules.participation), now)

    @exact
    def on_clock(self, now: int) -> Change:
        """It is now: day orders whose session has ended expire. Due at `wakes_at`."""
        draft = Draft()
        self._begin(now, draft)
        due = [order for book in self.books.values() for order in book.expired(now)]
        for order in sorted(due, key=lambda order: order.number):
            self._exchange.end(order, "expired", now, draft)
        return draft.done(self.orders.by_id)

    @property
    def wakes_at(self) -> int | None:
        """When `on_clock` is due, ns: the session's end, or that of orders which nothing has met
        since; None before the first call of all.
        """
        ends = [book.expiry for book in self.books.values()]
        return min(
            (end for end in (self.ledger.account.day_end, *ends) if end is not None), default=None
        )

    def _on_view(self, symbol: str, book: Book, view: View, now: int) -> Change:
        day_end = self.ledger.account.day_end
        if day_end is None or now >= day_end or book.concerns(view, now):
            return self._meet(symbol, book, view, now)
        lost = self._day_loss.mark(symbol, view)
        if lost or (self._guard.stops and symbol in self.ledger.holdings):
            return self._meet(symbol, book, view, now)
        return NOTHING

    @exact
    def _meet(self, symbol: str, book: Book, view: View, now: int) -> Change:
        draft = Draft()
        self._begin(now, draft)
        self._day_loss.mark(symbol, view)
        self._exchange.meet(book, view, now, draft)
        if self._day_loss.mark(symbol, view):
            self._day_loss.tell(draft)
        if self._guard.stops:
            self._closing.stop_losses(symbol, now, now, draft)
            if self.rules.at_once and isinstance(view, QuoteView):
                self._arrival.meet_closing(symbol, view, now, draft)
        return draft.done(self.orders.by_id)

    # -------------------------------------------------------------- orders

    @exact
    def submit(self, fields: Mapping[str, Any], now: int) -> Change:
        """Take an order of Alpaca's field names (`request.Request.parse`).

        The same `client_order_id` and body once more: the same order, nothing
        changes. Raises OrderError: INVALID_ORDER, UNKNOWN_SYMBOL, AMBIGUOUS_SYMBOL,
        DUPLICATE (the id with another body).
        """
        request = Request.parse(fields)
        request = request._replace(symbol=self.market.resolve(request.symbol))
        known = self._intake.known(request)
        if known is not None:
            return Change(orders=(known,))
        draft = Draft()
        self._begin(now, draft)
        order = self._intake.made(request, now, self._now)
        self._intake.admit(order, self._intake.admission.refusal(order, now), now, draft)
        return self._arrived(now, draft)

    @exact
    def replace(self, order_id: str, fields: Mapping[str, Any], now: int) -> Change:
        """Put another order in an open one's place, at the end of the queue.

        It has the old one's fields but for those given, at least one of
        `intake.CHANGEABLE`; its `qty` is its own, by default what the old one had not
        filled. When it is refused it is a rejected order, and the old one stays. Raises OrderError:
        ORDER_NOT_FOUND, ORDER_NOT_OPEN, INVALID_ORDER, DUPLICATE.
        """
        old = self.orders.get(order_id)
        request = self._intake.changed(old, fields)
        known = self._intake.known(request)
        if known is not None and known.replaces == order_id:
            return Change(orders=(known,))
        if known is not None:
            raise duplicate(known)
        if not old.is_open:
            raise _not_open(old)
        draft = Draft()
        self._begin(now, draft)
        order = self._intake.made(request, now, self._now, replaces=old.id)
        refusal = self._intake.admission.refusal(order, now, instead_of=old)
        if refusal is None:
            self.orders.put(old.moved("replaced", now, replaced_by=order.id), draft)
        self._intake.admit(order, refusal, now, draft)
        return self._arrived(now, draft)

    @exact
    def cancel(self, order_id: str, now: int) -> Change:
        """Raises OrderError: ORDER_NOT_FOUND, ORDER_NOT_OPEN."""
        order = self.orders.get(order_id)
        if not order.is_open:
            raise _not_open(order)
        return self._cancel([order], now)

    @exact
    def cancel_all(
        self, now: int, *, symbol: str | None = None, strategy_id: str | None = None
    ) -> Change:
        """Cancel the open orders, of one symbol or one strategy if it is named."""
        wanted = None if symbol is None else self.market.resolve(symbol)
        return self._cancel(
            [
                order
                for order in self.open_orders()
                if wanted in (None, order.symbol) and strategy_id in (None, order.strategy_id)
            ],
            now,
        )

    @exact
    def close_position(
        self,
        symbol: str,
        now: int,
        *,
        strategy_id: str | None = None,
        qty: Decimal | float | str | None = None,
    ) -> Change:
        """Close what is held of a symbol, by all or by one strategy, with market orders.

        One order for each strategy that holds some; its open orders of the symbol
        are canceled before. With `qty` so much of it is closed that is in no open
        order, and none is canceled. Raises OrderError: POSITION_NOT_FOUND,
        INSUFFICIENT_QUANTITY, INVALID_ORDER.
        """
        symbol = self.market.resolve(symbol)
        shares = self.ledger.holdings.get(symbol, {})
        wanted = [one for one in shares.values() if strategy_id in (None, one.strategy_id)]
        if not wanted:
            raise OrderError(f"no position in {symbol}", code="POSITION_NOT_FOUND")
        quantity = amount("qty", qty)
        return self._close(wanted, now) if quantity is None else self._reduce(wanted, quantity, now)

    @exact
    def close_all(self, now: int, *, strategy_id: str | None = None) -> Change:
        """Close every position, of one strategy if it is named."""
        shares = [one for held in self.ledger.holdings.values() for one in held.values()]
        return self._close([s for s in shares if strategy_id in (None, s.strategy_id)], now)

    # -------------------------------------------------------------- limits

    @exact
    def limit(self, strategy_id: str, limits: Limits, now: int) -> Change:
        """These are the strategy's limits from now on."""
        draft = Draft()
        self._begin(now, draft)
        self._guard.put(strategy_id, limits)
        draft.row("limits", strategy_id, limits)
        return draft.done(self.orders.by_id)

    @exact
    def kill(self, now: int, reason: str = "by hand") -> Change:
        """Cancel every order and accept none, until `revive`; positions can be closed.

        Once more changes nothing.
        """
        opened = [order for order in self.open_orders() if not order.closing]
        if self.ledger.account.killed and not opened:
            return NOTHING
        draft = Draft()
        self._begin(now, draft)
        breach = Breach(
            "killSwitch", "KILL_SWITCH", f"the kill switch is on: {reason}", severity="CRITICAL"
        )
        self.ledger.settle(self.ledger.account._replace(killed=True), draft)
        draft.event("risk", risk_event(self.ledger.account, breach))
        for order in opened:
            self._exchange.end(order, "canceled", now, draft, breach.code, breach.message)
        draft.event("account", account_event(self.ledger))
        return draft.done(self.orders.by_id)

    @exact
    def revive(self, now: int) -> Change:
        """The kill switch is off, which a risk event tells. Once more changes nothing."""
        if not self.ledger.account.killed:
            return NOTHING
        draft = Draft()
        self._begin(now, draft)
        self.ledger.settle(self.ledger.account._replace(killed=False), draft)
        switch = kill_switch(self.ledger, "the kill switch is off")
        draft.event("risk", risk_event(self.ledger.account, switch, "status"))
        draft.event("account", account_event(self.ledger))
        return draft.done(self.orders.by_id)

    # -------------------------------------------------------------- what is

    def open_orders(self) -> list[Order]:
        """In the order of submission."""
        opened = [one for book in self.books.values() for one in book.orders.values()]
        return sorted(opened, key=lambda order: order.number)

    @property
    def limits(self) -> Mapping[str, Limits]:
        """strategy -> its limits"""
        return self._guard.limits

    @exact
    def risk_status(self, now: int) -> list[dict[str, Any]]:
        """Where each limit stands, as payloads of the kind ``risk``, event ``status``."""
        found = standings(self.ledger, self._guard, self.rules, now)
        return [risk_event(self.ledger.account, one, "status") for one in found]

    @exact
    def available(self, symbol: str, strategy_id: str = "") -> Decimal:
        """What an order of the strategy could close: its share, less what its open orders would.

        Without a strategy: of what none of them holds. Below 0 when that is short.
        """
        share = self.ledger.holding(self.market.resolve(symbol), strategy_id)
        if share is None:
            return ZERO
        free = max(ZERO, abs(share.qty) - self._leaving(share))
        return free if share.qty > 0 else -free

    @property
    @exact
    def equity(self) -> Decimal:
        """Cash and what the positions would bring."""
        return self.ledger.equity

    @property
    @exact
    def buying_power(self) -> Decimal:
        """What new orders can hold; never below 0."""
        return self.ledger.buying_power

    @property
    def now(self) -> int | None:
        """The instant of the last market event, ns."""
        return self._now

    def at(self, now: int) -> None:
        """The market has come to this instant, with events that are not told here.

        No event of this instant meets an order that is submitted from here on.
        """
        self._now = now

    def succeed(self, before: Broker) -> None:
        """Take over from a broker of the same market: what it filled of the last quotes is gone."""
        self._arrival.succeed(before._arrival)

    def resume(
        self, orders: Iterable[Order], limits: Mapping[str, Limits], now: int | None
    ) -> None:
        """Begin with these, as another broker ended: the books are there already."""
        self._now = now
        for strategy_id, held in limits.items():
            self._guard.put(strategy_id, held)
        for order in orders:
            self.orders.keep(order)
        for order in sorted(self.orders.by_id.values(), key=lambda order: order.number):
            if order.status != "rejected":
                self._guard.note(order)
        for symbol in self.ledger.holdings:
            self.orders.watch(symbol)

    # -------------------------------------------------------------- how

    def _reduce(self, shares: list[Position], quantity: Decimal, now: int) -> Change:
        """Close so much of what is on the side that most is on, strategy by strategy."""
        long = sum((one.qty for one in shares), ZERO) >= 0
        parts = []
        left = quantity
        for share in sorted(shares, key=_whose):
            if (share.qty > 0) == long:
                part = min(left, max(ZERO, abs(share.qty) - self._leaving(share)))
                left -= part
                parts.append((share, part))
        if left:
            there, asked = text(quantity - left), text(quantity)
            raise OrderError(
                f"{asked} of {shares[0].symbol} asked, {there} available",
                code="INSUFFICIENT_QUANTITY",
            )
        draft = Draft()
        self._begin(now, draft)
        for share, part in parts:
            if part:
                self._closing.reduce(share, part, now, self._now, draft)
        return self._arrived(now, draft)

    def _leaving(self, share: Position) -> Decimal:
        """How much of it open orders would close."""
        side = "sell" if share.qty > 0 else "buy"
        return self.orders.resting(share.symbol, share.strategy_id, side)

    def _begin(self, now: int, draft: Draft) -> None:
        """A new session begins when the last one has ended; ended orders are forgotten."""
        account = self.ledger.account
        if account.day_end is None or now >= account.day_end:
            account = account._replace(
                day_equity=self.ledger.equity,
                day_end=self.rules.next_session_end(now),
                loss_told=False,
            )
            self.ledger.settle(account, draft)
        self.orders.forget(now)

    def _cancel(self, orders: list[Order], now: int) -> Change:
        draft = Draft()
        self._begin(now, draft)
        for order in orders:
            draft.asked(order.id)
            self._exchange.end(order, "canceled", now, draft)
        return draft.done(self.orders.by_id)

    def _close(self, shares: list[Position], now: int) -> Change:
        draft = Draft()
        self._begin(now, draft)
        for share in sorted(shares, key=_whose):
            self._closing.close(share, now, self._now, draft)
        return self._arrived(now, draft)

    def _arrived(self, now: int, draft: Draft) -> Change:
        """With `Rules.at_once`, what was accepted is met by the last quotes in the same change."""
        if self.rules.at_once:
            self._arrival.meet(now, self._now, draft)
        return draft.done(self.orders.by_id)


def _whose(share: Position) -> tuple[str, str]:
    return share.symbol, share.strategy_id


def _not_open(order: Order) -> OrderError:
    return OrderError(f"order {order.id} is {order.status}", code="ORDER_NOT_OPEN")
