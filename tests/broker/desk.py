"""A broker with its market, in few words: what the tests of this room trade with."""

from __future__ import annotations

from decimal import Decimal

from fastrouter.broker import Account, Broker, Change, Order, Prices, Rules
from fastrouter.core.event import Candle, Quote
from fastrouter.models import validate

SYMBOL = "S:AAPL"
SECOND = 1_000_000_000


class Desk:
    """Each market event is an instant of its own, a second after the last."""

    def __init__(self, cash=10_000, mode="PAPER_TRADING", **rules) -> None:
        self.prices = Prices([SYMBOL, "C:BTCUSD"])
        account = Account.opened("a-1", cash, mode=mode)
        self.broker = Broker(account, self.prices, Rules(**rules))
        self.now = 0
        #: all events so far
        self.events: list[tuple[str, dict]] = []

    def quote(self, bid, ask, bid_size=0, ask_size=0, symbol=SYMBOL, now=None) -> list:
        """The fills of a quote: (order id's last fill, quantity, price)."""
        self.now = self.now + SECOND if now is None else now
        quote = Quote(symbol, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)
        self.prices.on_quote(quote)
        return fills(self.took(self.broker.on_quote(quote, self.now)))

    def bar(self, open, high, low, close, volume=0, time=None, closed=True) -> list:
        """The fills of a bar that opened at the last event."""
        opened = self.now if time is None else time
        bar = Candle(
            SYMBOL,
            open=open,
            high=high,
            low=low,
            close=close,
            volume=volume,
            time=opened,
            closed=closed,
        )
        self.now += SECOND
        self.prices.on_bar(bar)
        return fills(self.took(self.broker.on_bar(bar, self.now)))

    def order(self, side="buy", qty=10, **fields) -> Order:
        """The order, as it is right after its submission."""
        if "notional" not in fields:
            fields["qty"] = qty
        change = self.broker.submit({"symbol": "AAPL", "side": side, **fields}, self.now)
        self.took(change)
        return change.order

    def get(self, order: Order) -> Order:
        """The order as it is now."""
        return self.broker.orders.get(order.id)

    def took(self, change: Change) -> Change:
        """Every event is as it would be routed."""
        for kind, payload in change.events:
            assert list(validate(kind, payload).items()) == list(payload.items())
        self.events += change.events
        return change

    def kinds(self) -> list[str]:
        """The events since the last call: order events by their name, others by their kind."""
        names = [payload.get("event", kind) for kind, payload in self.events]
        self.events = []
        return names

    def buys(self, qty=10, price=100) -> None:
        """Hold some of it."""
        self.order(qty=qty)
        self.quote(price, price)
        assert self.broker.ledger.positions[SYMBOL].qty == qty
        self.events = []


def fills(change: Change) -> list[tuple[Decimal, Decimal]]:
    return [
        (Decimal(trade["executed_quantity"]), Decimal(trade["executed_price"]))
        for kind, trade in change.events
        if kind == "trade"
    ]


def numbers(*pairs) -> list[tuple[Decimal, Decimal]]:
    """What `fills` returns, written as numbers."""
    return [(Decimal(str(quantity)), Decimal(str(price))) for quantity, price in pairs]
