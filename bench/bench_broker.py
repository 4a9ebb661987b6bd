"""What a paper broker costs: quotes that concern nobody, quotes beside resting orders, orders."""

from itertools import count

import pytest

from fastrouter.bench.aims import Aim, ns
from fastrouter.broker import Account, Broker, Limits, Prices
from fastrouter.core.event import Quote

SYMBOL = "S:AAPL"
CALLS = 100

AIMS = [
    Aim("a quote of a symbol without orders, ns", 200, ns("quote_of_nobody")),
    Aim("a quote beside 1,000 limits that it does not touch, ns", 5_000, ns("quote_beside[1000]")),
    Aim("a limit order, ns", 200_000, ns("submit[0]")),
    Aim("... beside 1,000 of its symbol, ns", 400_000, ns("submit[1000]")),
    Aim("a market order and its fill, ns", 500_000, ns("order_and_fill")),
]

FAR = {"symbol": SYMBOL, "side": "buy", "qty": 1, "type": "limit", "limit_price": 50}


class Market:
    """A broker whose every event is a new instant; around 100."""

    def __init__(self, resting=0):
        prices = Prices([SYMBOL])
        self.broker = Broker(Account.opened("a", 10**9), prices)
        self.clock = count(1)
        self.quotes = [
            Quote(SYMBOL, bid=99 + i / 100, ask=100 + i / 100, bid_size=500, ask_size=500)
            for i in range(10)
        ]
        prices.on_quote(self.quotes[0])
        for _ in range(resting):
            self.submit(FAR)
        self.quote()

    def quote(self):
        now = next(self.clock)
        return self.broker.on_quote(self.quotes[now % 10], now)

    def submit(self, fields):
        return self.broker.submit(fields, next(self.clock))


def test_quote_of_nobody(per_item):
    market = Market()
    on_quote, quote = market.broker.on_quote, market.quotes[0]
    assert not on_quote(quote, 5)

    def calls():
        for _ in range(CALLS):
            on_quote(quote, 5)

    per_item(calls, CALLS)


@pytest.mark.parametrize("resting", [1, 1000])
def test_quote_beside(per_item, resting):
    market = Market(resting)

    def calls():
        for _ in range(CALLS):
            market.quote()

    per_item(calls, CALLS)
    assert len(market.broker.open_orders()) == resting


@pytest.mark.parametrize("stops", [False, True])
def test_quote_of_a_position(per_item, stops):
    market = Market()
    market.submit({"symbol": SYMBOL, "side": "buy", "qty": 10, "strategy_id": "s"})
    assert market.quote().events
    if stops:
        market.broker.limit("s", Limits.parse({"stopLossPercentage": 0.5}), 1)

    def calls():
        for _ in range(CALLS):
            market.quote()

    per_item(calls, CALLS)
    assert market.broker.equity != 10**9


@pytest.mark.parametrize("resting", [0, 1000])
def test_submit(per_item, resting):
    """The rows as a store would have them, too. Each is canceled, untimed."""
    market = Market(resting)

    def clear():
        for order in market.broker.open_orders()[resting:]:
            market.broker.cancel(order.id, next(market.clock))

    def calls():
        for _ in range(10):
            change = market.submit(FAR)
            assert len([row.values for row in change.rows]) == 2

    per_item(calls, 10, setup=clear, rounds=30)


def test_order_and_fill(per_item):
    market = Market()

    def calls():
        for side in ("buy", "sell"):
            market.submit({"symbol": SYMBOL, "side": side, "qty": 1})
            change = market.quote()
            assert [row.table for row in change.rows if row.values] != []
            assert [kind for kind, _ in change.events] == ["order", "trade", "position", "account"]

    per_item(calls, 2, rounds=50)
    account = market.broker.ledger.account
    assert account.cash == account.start + account.realised
