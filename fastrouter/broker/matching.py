"""At what price an event fills an order. No event fills what was sent after it was known.

**Which events count.** All events with one `now` are one instant. An order is met
by events of a later instant than the last one before its submission; a bar must
also have opened at or after the submission, since it tells of all that followed
its open. Forming bars count for nothing. A side of a quote whose price is not
above 0 is no side: it meets nobody.

**Expiry.** An order that expires at T is met by no quote at T or later. A bar that is told
at T, with the session's end, tells of the time before: it meets the order first, and what it
leaves expires. A bar that is told later than T meets it no more, though it may have opened
before: the order had expired, and its client was told so, when the bar was not known.

**At once.** With `Rules.at_once` an order is met by the last quote of its symbol as it is
accepted, too, as the first event that meets it; of the quoted sizes there is what earlier
orders left. Of a symbol whose last event is a bar, the next one is waited for: a bar tells
of a time before the order.

**Quotes.** Buys meet the ask, sells meet the bid ("the price" below).

========== =====================================================================
market     at the price
limit      when the price touches or crosses the limit: at the price when this is
           the first event that meets the order, else, resting, at its limit
stop       when the price touches or crosses the stop: from then a market order,
           in this event already
stop_limit when the price touches or crosses the stop: from then a limit order that
           arrives with this event
========== =====================================================================

The quoted size is shared among the orders of a side: those that take any price by
time, then limits by price, then time. What is left over stays for the next event.
Size 0 is an unknown size: it fills everything.

**Bars.**

========== =====================================================================
market     at the open
limit      at the open when that is at the limit or better, else at the limit when
           the bar's low (buys; sells: high) touches it
stop       at the open when that is at the stop or beyond it (a gap), else at the
           stop when the bar's high (buys; sells: low) touches it
stop_limit triggered like a stop; fills there when that is at the limit or better,
           else rests as a limit from the next event: which way the bar went after
           it was triggered is not known
========== =====================================================================

A bar fills whole orders, or, with a participation, up to that fraction of its
volume on each side.

**Time in force.** `ioc` fills what it can at the first event that meets it (a stop:
that triggers it), the rest is canceled; `fok` fills whole there or is canceled.
Sells are matched before buys: what they free, buys of the same event can use.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, Protocol

from .money import ZERO, lots, price, size
from .order import Order

__all__ = ["Bar", "BarView", "Quotation", "QuoteView", "Touch", "View"]


class Quotation(Protocol):
    """A quote, e.g. `core.event.Quote`."""

    @property
    def symbol(self) -> str: ...
    @property
    def bid(self) -> float: ...
    @property
    def ask(self) -> float: ...
    @property
    def bid_size(self) -> float: ...
    @property
    def ask_size(self) -> float: ...


class Bar(Protocol):
    """A candle, e.g. `core.event.Candle`; `time` (ns) is when it opened."""

    @property
    def symbol(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...
    @property
    def volume(self) -> float: ...


class Touch(NamedTuple):
    """An event met an order: the price it can be filled at, if any; whether it is triggered."""

    price: Decimal | None
    triggered: bool = False


class View(Protocol):
    """One market event as orders see it."""

    #: the lowest and highest a buyer could have had it at, and a seller; None: nobody could
    asks: tuple[Decimal, Decimal] | None
    bids: tuple[Decimal, Decimal] | None
    #: whether it tells of the time up to now, and not of now
    past: bool

    def touch(self, order: Order) -> Touch | None:
        """None: it does not meet this order."""

    def room(self, buy: bool) -> Decimal | None:
        """What can be filled on this side; None: anything."""

    def take(self, buy: bool, quantity: Decimal) -> None:
        """So much of a side's room was filled."""

    def mark(self, long: bool) -> Decimal | None:
        """What a unit could now be closed at, if known."""


def reaches(price: Decimal, limit: Decimal, buy: bool) -> bool:
    """Whether the price is at the limit, or better for who pays it."""
    return price <= limit if buy else price >= limit


# ------------------------------------------------------------------ quotes


class QuoteView:
    """A quote as orders see it, less what they took of it."""

    past = False

    __slots__ = ("_ask", "_bid", "_bought", "_sold", "asks", "bids", "quote")

    def __init__(self, quote: Quotation) -> None:
        self.quote = quote
        self._bought = self._sold = ZERO
        self._bid = price(quote.bid)
        self._ask = price(quote.ask)
        self.asks = (self._ask, self._ask) if self._ask is not None else None
        self.bids = (self._bid, self._bid) if self._bid is not None else None

    def touch(self, order: Order) -> Touch | None:
        buy = order.side == "buy"
        at = self._ask if buy else self._bid
        return None if at is None else AT_QUOTE[order.type](order, at, buy)

    def room(self, buy: bool) -> Decimal | None:
        whole = size(self.quote.ask_size if buy else self.quote.bid_size)
        if whole is None:
            return None
        return whole - (self._bought if buy else self._sold)

    def take(self, buy: bool, quantity: Decimal) -> None:
        if buy:
            self._bought += quantity
        else:
            self._sold += quantity

    def mark(self, long: bool) -> Decimal | None:
        return self._bid if long else self._ask


def _market_at_quote(order: Order, at: Decimal, buy: bool) -> Touch:
    return Touch(at)


def _limit_at_quote(order: Order, at: Decimal, buy: bool) -> Touch:
    return Touch(_limited(order, at, buy, arriving=order.status == "accepted"))


def _stop_at_quote(order: Order, at: Decimal, buy: bool) -> Touch:
    triggered = order.triggered or _stopped(order, at, buy)
    return Touch(at if triggered else None, triggered)


def _stop_limit_at_quote(order: Order, at: Decimal, buy: bool) -> Touch:
    if order.triggered:
        return Touch(_limited(order, at, buy, arriving=False), True)
    if not _stopped(order, at, buy):
        return Touch(None)
    return Touch(_limited(order, at, buy, arriving=True), True)


def _limited(order: Order, at: Decimal, buy: bool, arriving: bool) -> Decimal | None:
    limit = order.limit_price
    assert limit is not None
    if not reaches(at, limit, buy):
        return None
    return at if arriving else limit


def _stopped(order: Order, at: Decimal, buy: bool) -> bool:
    assert order.stop_price is not None
    return reaches(at, order.stop_price, not buy)


AT_QUOTE: dict[str, Callable[[Order, Decimal, bool], Touch]] = {
    "market": _market_at_quote,
    "limit": _limit_at_quote,
    "stop": _stop_at_quote,
    "stop_limit": _stop_limit_at_quote,
}

# ------------------------------------------------------------------ bars


class Span(NamedTuple):
    """A bar for one side: its open, the best price for who trades it, and the worst."""

    open: Decimal
    best: Decimal
    worst: Decimal


class BarView:
    """A closed bar as orders see it."""

    past = True

    __slots__ = ("_bar", "_close", "_fraction", "_open", "asks", "bids")

    def __init__(self, bar: Bar, participation: Decimal | None) -> None:
        self._bar = bar
        self._fraction = participation
        self._close = price(bar.close)
        self._open = price(bar.open)
        self.asks = self.bids = _range(bar)

    def touch(self, order: Order) -> Touch | None:
        if self.asks is None or self._bar.time < order.submitted_at:
            return None
        if self._open is None or _lived(order, self._bar.time):
            return None
        low, high = self.asks
        buy = order.side == "buy"
        span = Span(self._open, low, high) if buy else Span(self._open, high, low)
        return AT_BAR[order.type](order, span, buy)

    def room(self, buy: bool) -> Decimal | None:
        volume = size(self._bar.volume)
        if volume is None or self._fraction is None:
            return None
        return lots(volume * self._fraction)

    def take(self, buy: bool, quantity: Decimal) -> None:
        """Nothing: a bar is met once, and nobody asks what is left."""

    def mark(self, long: bool) -> Decimal | None:
        return self._close


def _lived(order: Order, time: int) -> bool:
    """Whether it had expired then."""
    return order.expires_at is not None and order.expires_at <= time


def _range(bar: Bar) -> tuple[Decimal, Decimal] | None:
    low, high = price(bar.low), price(bar.high)
    return None if low is None or high is None else (low, high)


def _market_in_bar(order: Order, span: Span, buy: bool) -> Touch:
    return Touch(span.open)


def _limit_in_bar(order: Order, span: Span, buy: bool) -> Touch:
    limit = order.limit_price
    assert limit is not None
    if reaches(span.open, limit, buy):
        return Touch(span.open, order.triggered)
    return Touch(limit if reaches(span.best, limit, buy) else None, order.triggered)


def _stop_in_bar(order: Order, span: Span, buy: bool) -> Touch:
    if order.triggered:
        return Touch(span.open, True)
    at = _stopped_in_bar(order, span, buy)
    return Touch(at, at is not None)


def _stop_limit_in_bar(order: Order, span: Span, buy: bool) -> Touch:
    if order.triggered:
        return _limit_in_bar(order, span, buy)
    at = _stopped_in_bar(order, span, buy)
    if at is None:
        return Touch(None)
    assert order.limit_price is not None
    return Touch(at if reaches(at, order.limit_price, buy) else None, True)


def _stopped_in_bar(order: Order, span: Span, buy: bool) -> Decimal | None:
    """Where the bar triggers a stop."""
    stop = order.stop_price
    assert stop is not None
    if reaches(span.open, stop, not buy):
        return span.open
    return stop if reaches(span.worst, stop, not buy) else None


AT_BAR: dict[str, Callable[[Order, Span, bool], Touch]] = {
    "market": _market_in_bar,
    "limit": _limit_in_bar,
    "stop": _stop_in_bar,
    "stop_limit": _stop_limit_in_bar,
}
