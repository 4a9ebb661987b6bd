"""A paper broker: takes orders, fills them by market events, keeps the books.

It does no I/O and reads no clock: `now` (ns) is an argument of every call, so live
and backtest differ by who calls. What a call changed is its `Change`: rows to
write, then events to announce.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from fastrouter.errors import OrderError

from .account import Account
from .admission import Admission, Refusal
from .book import Book
from .change import NOTHING, Change, Draft
from .exchange import Exchange
from .ledger import Ledger
from .market import Market
from .matching import Bar, BarView, Quotation, QuoteView, View
from .money import exact, text
from .order import Order
from .orders import Orders
from .payloads import account_event, risk_event
from .position import Position
from .request import Request, refused
from .risk import Breach, Guard, Limits
from .rules import Rules

__all__ = ["Broker"]

#: what a replacement may change
CHANGEABLE = ("qty", "limit_price", "stop_price", "time_in_force", "client_order_id")


class Broker:
    """One account and its orders. Calls come one at a time.

    Whoever asks for what cannot be gets an OrderError, and nothing has changed. An
    order that is well formed but refused is an order that is ``rejected``.
    """

    __slots__ = (
        *("_admission", "_exchange", "_guard", "_namespace", "_now"),
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
        self._exchange = Exchange(self.orders, self.ledger, self.rules)
        self._admission = Admission(self.orders, self.ledger, self._guard, self.rules)
        self._namespace = UUID(account.seed)
        self._now: int | None = None

    # -------------------------------------------------------------- market events

    def on_quote(self, quote: Quotation, now: int) -> Change:
        """The market has this quote. A symbol without orders and position costs a look-up."""
        self._now = now
        book = self.books.get(quote.symbol)
        if book is None:
            return NOTHING
        return self._on_view(quote.symbol, book, QuoteView(quote), now)

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
        for book in list(self.books.values()):
            for order in book.expired(now):
                self._exchange.end(order, "expired", now, draft)
        return draft.done(self.orders.by_id)

    @property
    def wakes_at(self) -> int | None:
        """When `on_clock` is due: the session's end, ns; None before the first call of all."""
        return self.ledger.account.day_end

    def _on_view(self, symbol: str, book: Book, view: View, now: int) -> Change:
        day_end = self.ledger.account.day_end
        if day_end is None or now >= day_end or book.concerns(view, now):
            return self._meet(symbol, book, view, now)
        self.ledger.mark(symbol, view)
        if not self._guard.stops or symbol not in self.ledger.holdings:
            return NOTHING
        return self._meet(symbol, book, view, now)

    @exact
    def _meet(self, symbol: str, book: Book, view: View, now: int) -> Change:
        draft = Draft()
        self._begin(now, draft)
        self.ledger.mark(symbol, view)
        self._exchange.meet(book, view, now, draft)
        self.ledger.mark(symbol, view)
        if self._guard.stops:
            self._stop_losses(symbol, now, draft)
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
        known = self._known(request)
        if known is not None:
            return Change(orders=(known,))
        draft = Draft()
        self._begin(now, draft)
        order = self._made(request, now)
        self._admit(order, self._admission.refusal(order, now), now, draft)
        return draft.done(self.orders.by_id)

    @exact
    def replace(self, order_id: str, fields: Mapping[str, Any], now: int) -> Change:
        """Put another order in an open one's place, at the end of the queue.

        It has the old one's fields but for those given: of `CHANGEABLE`; its `qty`
        is its own, by default what the old one had not filled. When it is refused
        it is a rejected order, and the old one stays. Raises OrderError:
        ORDER_NOT_FOUND, ORDER_NOT_OPEN, INVALID_ORDER, DUPLICATE.
        """
        old = self.orders.get(order_id)
        request = self._changed(old, fields)
        known = self._known(request)
        if known is not None and known.replaces == order_id:
            return Change(orders=(known,))
        if known is not None:
            raise _duplicate(known)
        if not old.is_open:
            raise _not_open(old)
        draft = Draft()
        self._begin(now, draft)
        order = self._made(request, now, replaces=old.id)
        refusal = self._admission.refusal(order, now, instead_of=old)
        if refusal is None:
            self.orders.put(old.moved("replaced", now, replaced_by=order.id), draft)
        self._admit(order, refusal, now, draft)
        return draft.done(self.orders.by_id)

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
    def close_position(self, symbol: str, now: int, *, strategy_id: str | None = None) -> Change:
        """Close what is held of a symbol, by all or by one strategy, with market orders.

        One order for each strategy that holds some; its open orders of the symbol
        are canceled before. Raises OrderError, code POSITION_NOT_FOUND.
        """
        symbol = self.market.resolve(symbol)
        shares = self.ledger.holdings.get(symbol, {})
        wanted = [one for one in shares.values() if strategy_id in (None, one.strategy_id)]
        if not wanted:
            raise OrderError(f"no position in {symbol}", code="POSITION_NOT_FOUND")
        return self._close(wanted, now)

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
        """Cancel every order and accept none, until `revive`; positions can be closed."""
        draft = Draft()
        self._begin(now, draft)
        breach = Breach(
            "killSwitch", "KILL_SWITCH", f"the kill switch is on: {reason}", severity="CRITICAL"
        )
        self.ledger.settle(self.ledger.account._replace(killed=True), draft)
        draft.event("risk", risk_event(self.ledger.account, breach))
        for order in self.open_orders():
            if not order.closing:
                self._exchange.end(order, "canceled", now, draft, breach.code, breach.message)
        draft.event("account", account_event(self.ledger))
        return draft.done(self.orders.by_id)

    @exact
    def revive(self, now: int) -> Change:
        """The kill switch is off."""
        draft = Draft()
        self._begin(now, draft)
        self.ledger.settle(self.ledger.account._replace(killed=False), draft)
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

    def _begin(self, now: int, draft: Draft) -> None:
        """A new session begins when the last one has ended; ended orders are forgotten."""
        account = self.ledger.account
        if account.day_end is None or now >= account.day_end:
            account = account._replace(
                day_equity=self.ledger.equity, day_end=self.rules.next_session_end(now)
            )
            self.ledger.settle(account, draft)
        self.orders.forget(now)

    def _known(self, request: Request) -> Order | None:
        """The order that was asked for so before. Raises OrderError, code DUPLICATE."""
        if not request.client_order_id:
            return None
        known = self.orders.of_client(request.client_order_id)
        if known is not None and _request_of(known) != request:
            raise _duplicate(known)
        return known

    def _changed(self, old: Order, fields: Mapping[str, Any]) -> Request:
        given = {name: value for name, value in fields.items() if value is not None}
        for name in given:
            if name not in CHANGEABLE:
                raise refused(f"{name} cannot be replaced; allowed: {', '.join(CHANGEABLE)}")
        if old.qty is None:
            raise refused("an order by notional cannot be replaced before it is met")
        asked = _request_of(old)._asdict() | {"notional": None, "client_order_id": None}
        return Request.parse(asked | {"qty": old.remaining or old.qty} | given)

    def _made(
        self, request: Request, now: int, *, replaces: str | None = None, closing: bool = False
    ) -> Order:
        """The order, not yet accepted; it has an id and its place in time."""
        account = self.ledger.account
        number = account.sequence + 1
        self.ledger.account = account._replace(sequence=number)
        order_id = str(uuid5(self._namespace, str(number)))
        hold_price = self._admission.hold_price(request, self.market.last(request.symbol))
        if closing and not hold_price:
            hold_price = self.ledger.positions[request.symbol].mark
        day = request.time_in_force == "day"
        return Order(
            id=order_id,
            number=number,
            **request._replace(client_order_id=request.client_order_id or order_id)._asdict(),
            status="pending_new",
            created_at=now,
            updated_at=now,
            submitted_at=now,
            known_at=self._now,
            expires_at=self.rules.next_session_end(now) if day else None,
            hold_price=hold_price,
            closing=closing,
            replaces=replaces,
        )

    def _admit(self, order: Order, refusal: Refusal | None, now: int, draft: Draft) -> None:
        """The order is accepted, or rejected for that reason."""
        if refusal is None:
            order = order.moved("accepted", now)
            self._guard.note(order)
        else:
            order = order.moved("rejected", now, code=refusal.code, reason=refusal.message)
            if refusal.breach is not None:
                draft.event("risk", risk_event(self.ledger.account, refusal.breach))
        draft.asked(order.id)
        self.orders.put(order, draft)
        self.ledger.settle(self.ledger.account, draft)

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
        for share in shares:
            self._close_one(share, now, draft)
        return draft.done(self.orders.by_id)

    def _close_one(self, share: Position, now: int, draft: Draft, code: str | None = None) -> None:
        for order in self.orders.open_of(share.symbol, share.strategy_id):
            self._exchange.end(order, "canceled", now, draft, "CLOSING", "its position is closed")
        request = Request(
            symbol=share.symbol,
            side="sell" if share.qty > 0 else "buy",
            type="market",
            time_in_force="gtc",
            qty=abs(share.qty),
            notional=None,
            limit_price=None,
            stop_price=None,
            client_order_id="",
            strategy_id=share.strategy_id,
        )
        order = self._made(request, now, closing=True)._replace(code=code)
        self._admit(order, None, now, draft)

    def _stop_losses(self, symbol: str, now: int, draft: Draft) -> None:
        """Close what lost more than its strategy's limit allows, unless it is being closed."""
        for share in list(self.ledger.holdings.get(symbol, {}).values()):
            most = self._guard.of(share.strategy_id).stop_loss_percentage
            if most is None or -share.unrealised < most * abs(share.cost):
                continue
            if any(one.closing for one in self.orders.open_of(symbol, share.strategy_id)):
                continue
            limit, loss = most * abs(share.cost), -share.unrealised
            breach = Breach(
                "stopLossPercentage",
                "STOP_LOSS",
                f"the position lost {text(loss)}; allowed: below {text(limit)}",
                limit,
                loss,
                share.strategy_id,
                symbol,
                "ERROR",
            )
            draft.event("risk", risk_event(self.ledger.account, breach))
            self._close_one(share, now, draft, breach.code)


def _request_of(order: Order) -> Request:
    """What was asked for with it."""
    return Request(
        **{name: getattr(order, name) for name in Request._fields if name != "qty"},
        qty=None if order.notional is not None else order.qty,
    )


def _duplicate(known: Order) -> OrderError:
    return OrderError(
        f"client_order_id {known.client_order_id} is that of order {known.id}, which was another",
        code="DUPLICATE",
    )


def _not_open(order: Order) -> OrderError:
    return OrderError(f"order {order.id} is {order.status}", code="ORDER_NOT_OPEN")
