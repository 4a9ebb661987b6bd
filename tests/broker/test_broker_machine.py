"""Random trading, checked against a slow oracle, and what holds whatever happens."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from random import Random

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastrouter.broker import Account, Broker, Commission, Limits, Prices, Rules, restore, snapshot
from fastrouter.broker.order import TERMINAL
from fastrouter.broker.payloads import EVENTS
from fastrouter.core.event import Candle, Quote
from fastrouter.models import validate

from .oracle import Oracle

SYMBOLS = ("S:AAPL", "C:BTCUSD")
STRATEGIES = ("", "a", "b")
SECOND = 10**9
DAY = 86_400 * SECOND
ENDS = {EVENTS[status] for status in TERMINAL}
MIDNIGHT = -1
#: what no row tells
UNTOLD = ("mark",)

#: what is drawn from: by hypothesis, and by the long runs
CHOICES = {
    "qty": ["1", "2", "3", "0.5", "0.123456789", "7.7", "40"],
    "price": [98.0, 99.0, 99.5, 99.7, 100.0, 100.1, 101.0, 102.0, 103.3],
    "side_of_quote": [*[98.0, 99.5, 100.0, 100.1, 100.7, 102.0] * 3, 0.0, 70.0, 130.0],
    "size": [0.0, 0.0, 1.0, 2.5, 0.1 + 0.2, 10.0],
    # ns from one event to the next: the same instant, seconds, into the next day, to its start
    "ns": [0, *[SECOND] * 4, 20 * SECOND, 40_000 * SECOND, *[MIDNIGHT] * 2],
    "symbol": list(SYMBOLS),
    "strategy": list(STRATEGIES),
    "side": ["buy", "sell"],
    "kind": ["market", "market", "limit", "stop", "stop_limit"],
    "force": ["day", "day", "gtc", "gtc", "ioc", "fok"],
    "volume": [0.0, 5.0, 40.0, 7.77],
    "back": [0, 0, SECOND],
    "notional": [None, None, None, "77.7"],
    "index": list(range(100)),
}
#: rule -> how often it comes in a long run, and what its arguments are drawn from
ARGUMENTS = {
    "quote": (
        10,
        {
            "ns": "ns",
            "symbol": "symbol",
            "bid": "side_of_quote",
            "ask": "side_of_quote",
            "bid_size": "size",
            "ask_size": "size",
        },
    ),
    "bar": (
        5,
        {
            "ns": "ns",
            "symbol": "symbol",
            "first": "price",
            "second": "price",
            "third": "price",
            "fourth": "price",
            "volume": "volume",
            "back": "back",
        },
    ),
    "submit": (
        9,
        {
            "symbol": "symbol",
            "side": "side",
            "kind": "kind",
            "force": "force",
            "qty": "qty",
            "limit": "price",
            "stop": "price",
            "strategy": "strategy",
            "notional": "notional",
        },
    ),
    "cancel": (1, {"index": "index"}),
    "replace": (2, {"index": "index", "qty": "qty", "price": "price"}),
    "close": (1, {"symbol": "symbol", "strategy": "strategy"}),
    "clock": (1, {"ns": "ns"}),
    "cancel_all": (0, {}),
    "restart": (1, {}),
}


def drawn(name):
    """The rule of that name."""
    return rule(**{key: st.sampled_from(CHOICES[of]) for key, of in ARGUMENTS[name][1].items()})


def plain(value: Decimal) -> Fraction:
    return Fraction(value)


class Trading(RuleBasedStateMachine):
    """Two symbols, two strategies with limits and somebody without."""

    @initialize(
        cash=st.sampled_from([1000, 10_000, 30_000]),
        shorting=st.sampled_from([True, False]),
        participation=st.sampled_from([None, "0.3"]),
        commission=st.sampled_from(
            [{}, {"per_order": "1"}, {"per_unit": "0.013", "percent": "0.1"}, {"percent": "0.07"}]
        ),
        collar=st.sampled_from(["0", "0.02"]),
        max_loss=st.sampled_from([None, 20]),
        limits=st.sampled_from([True, False]),
        at_once=st.sampled_from([True, False]),
    )
    def open(self, **opening):
        self.begin(**opening)

    def begin(self, cash, shorting, participation, commission, collar, max_loss, limits, at_once):
        self.oracle = Oracle(cash, shorting, participation, commission, collar, max_loss, at_once)
        self.market = Prices(SYMBOLS)
        self.rules = Rules(
            commission=Commission(commission),
            shorting=shorting,
            participation=participation and Decimal(participation),
            collar=Decimal(collar),
            max_daily_loss=max_loss and Decimal(max_loss),
            at_once=at_once,
        )
        self.account = Account.opened("acc", cash)
        self.broker = Broker(self.account, self.market, self.rules)
        self.now = 10 * 86_400 * SECOND
        self.pairs: list[tuple[str, dict]] = []
        self.ends = Counter()
        self.losses = []
        self.tables = snapshot(self.broker)
        self.log = []
        self.done = []
        if limits:
            for name, config in {
                "a": {"maxPositionValue": 1000, "stopLossPercentage": 0.02},
                "b": {"maxOrdersPerMinute": 5},
            }.items():
                self.call("limit", name, Limits.parse(config), self.now)
                self.oracle.limits[name] = {
                    key: Fraction(str(value)) for key, value in config.items()
                }
        for symbol in SYMBOLS:
            self.quote(SECOND, symbol, 99.5, 100.0, 0.0, 0.0)

    def call(self, name, *args, **kwargs):
        """One call of the broker; what it changed is stored and looked at."""
        change = getattr(self.broker, name)(*args, **kwargs)
        self.log.append((name, args, kwargs))
        self.done.append(change)
        for row in change.rows:
            if row.table == "trades":
                continue
            if row.values is None:
                self.tables[row.table].pop(row.key, None)
            else:
                self.tables[row.table][row.key] = orjson.loads(orjson.dumps(row.values))
        for kind, payload in change.events:
            assert list(validate(kind, payload).items()) == list(payload.items())
            if kind == "order" and payload["event"] in ENDS:
                self.ends[payload["id"]] += 1
            if payload.get("rule") == "maxDailyLoss" and "symbol" not in payload:
                self.losses.append(Fraction(payload["value"]))
        return change

    def step(self, ns):
        self.now += DAY - self.now % DAY if ns == MIDNIGHT else ns
        return self.now

    # ---------------------------------------------------------- the market

    @drawn("quote")
    def quote(self, ns, symbol, bid, ask, bid_size, ask_size):
        if 0 < ask < bid:
            bid, ask = ask, bid
        quote = Quote(
            symbol, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size, time=len(self.log) + 1
        )  # no two are alike
        self.market.on_quote(quote)
        change = self.call("on_quote", quote, self.step(ns))
        self.oracle.quote(symbol, bid, ask, bid_size, ask_size, self.now)
        room = {"BUY": Decimal(repr(ask_size)), "SELL": Decimal(repr(bid_size))}
        offered = {"BUY": Decimal(repr(ask)), "SELL": Decimal(repr(bid))}
        for kind, trade in change.events:
            if kind != "trade":
                continue
            side, at = trade["side"], Decimal(trade["executed_price"])
            order = self.broker.orders.get(trade["order_id"])
            worse = at - offered[side] if side == "BUY" else offered[side] - at
            assert worse >= 0, "better than the market"
            assert worse == 0 or at == order.limit_price
            if room[side]:
                room[side] -= Decimal(trade["executed_quantity"])
                assert room[side] > 0 or room[side] == 0

    @drawn("bar")
    def bar(self, ns, symbol, first, second, third, fourth, volume, back):
        opened = self.now - back
        low, open, close, high = sorted((first, second, third, fourth))
        if first > second:
            open, close = close, open
        bar = Candle(symbol, open=open, high=high, low=low, close=close, volume=volume, time=opened)
        self.market.on_bar(bar)
        change = self.call("on_bar", bar, self.step(ns))
        self.oracle.bar(symbol, (open, high, low, close, volume), opened, self.now)
        for kind, trade in change.events:
            if kind == "trade":
                assert Decimal(repr(low)) <= Decimal(trade["executed_price"]) <= Decimal(repr(high))

    @drawn("clock")
    def clock(self, ns):
        self.call("on_clock", self.step(ns))
        self.oracle.clock(self.now)

    # ---------------------------------------------------------- orders

    @drawn("submit")
    def submit(self, symbol, side, kind, force, qty, limit, stop, strategy, notional):
        fields = {"symbol": symbol, "side": side, "type": kind, "time_in_force": force}
        fields |= {"strategy_id": strategy}
        fields |= {"notional": notional} if kind == "market" and notional else {"qty": qty}
        if kind in ("limit", "stop_limit"):
            fields["limit_price"] = limit
        if kind in ("stop", "stop_limit"):
            fields["stop_price"] = stop
        fields |= {"client_order_id": f"c{len(self.log)}"}
        change = self.call("submit", fields, self.now)
        again = self.call("submit", fields | {"symbol": symbol[2:]}, self.now)
        assert again.orders == change.orders
        assert not again
        self.pair(change.order, self.oracle.submit(fields, self.now))

    def pair(self, order, twin):
        assert order.status == twin["status"], order.reason
        assert order.status != "rejected" or order.code == twin["code"]
        self.pairs.append((order.id, twin))

    def chosen(self, index):
        return self.twins()[index % len(self.twins())]

    def twins(self):
        return [(one, twin) for one, twin in self.pairs if self.broker.orders.get(one).is_open]

    @precondition(lambda self: self.twins())
    @drawn("cancel")
    def cancel(self, index):
        order_id, twin = self.chosen(index)
        self.call("cancel", order_id, self.now)
        self.oracle.begin(self.now)
        self.oracle.cancel(twin)

    @precondition(lambda self: self.twins())
    @drawn("replace")
    def replace(self, index, qty, price):
        order_id, twin = self.chosen(index)
        if twin["qty"] is None:
            return
        fields = {"qty": qty}
        for name in ("limit_price", "stop_price"):
            if twin[name] is not None:
                fields[name] = price
        change = self.call("replace", order_id, fields, self.now)
        self.pair(change.order, self.oracle.replace(twin, fields, self.now))

    @drawn("cancel_all")
    def cancel_all(self):
        self.call("cancel_all", self.now, strategy_id="a")
        self.oracle.begin(self.now)
        for order in self.oracle.open(strategy="a"):
            self.oracle.cancel(order)

    @drawn("close")
    def close(self, symbol, strategy):
        if self.broker.ledger.holding(symbol, strategy):
            self.call("close_position", symbol, self.now, strategy_id=strategy)
            self.oracle.arrive(self.oracle.close(symbol, strategy, self.now), self.now)

    @drawn("restart")
    def restart(self):
        """It goes on from its snapshot as if nothing had been."""
        state = orjson.loads(orjson.dumps(snapshot(self.broker)))
        before = self.broker
        self.broker = restore(state, self.market, self.rules)
        self.broker.succeed(before)
        assert snapshot(self.broker) == state

    # ---------------------------------------------------------- what holds

    @invariant()
    def books_balance(self):
        account, ledger = self.broker.ledger.account, self.broker.ledger
        cost = sum((one.cost for one in ledger.positions.values()), Decimal(0))
        left = plain(account.cash) + plain(cost) + plain(account.fees)
        assert left == plain(account.start) + plain(account.realised)
        assert self.broker.buying_power >= 0
        if not (self.rules.shorting or account.fees):
            assert ledger.free >= 0
        if not self.rules.shorting:
            assert all(
                share.qty > 0 for held in ledger.holdings.values() for share in held.values()
            )
        for symbol, position in ledger.positions.items():
            shares = ledger.holdings[symbol].values()
            assert position.qty == sum(share.qty for share in shares)

    @invariant()
    def it_is_as_the_oracle_says(self):
        ledger = self.broker.ledger
        assert plain(ledger.account.cash) == self.oracle.cash
        assert plain(ledger.account.fees) == self.oracle.fees
        assert plain(ledger.reserved) == self.oracle.reserved()
        assert plain(self.broker.equity) == self.oracle.equity
        assert self.losses == self.oracle.losses
        assert plain(self.broker.buying_power) == max(0, self.oracle.free)
        for symbol in SYMBOLS:
            for strategy in (None, *STRATEGIES):
                held = (
                    ledger.positions.get(symbol)
                    if strategy is None
                    else ledger.holding(symbol, strategy)
                )
                found = (plain(held.qty), plain(held.cost)) if held else (0, 0)
                assert found == self.oracle.held(symbol, strategy)
            for strategy in (None, *STRATEGIES):
                for side in ("buy", "sell"):
                    opened = self.oracle.open(symbol, strategy)
                    rest = (self.oracle.remaining(one) for one in opened if one["side"] == side)
                    assert plain(self.broker.orders.resting(symbol, strategy, side)) == sum(rest)

    @invariant()
    def every_order_is_as_it_should_be(self):
        orders = sorted(self.broker.orders, key=lambda order: order.number)
        assert len(orders) == len(self.oracle.orders)
        for order, twin in zip(orders, self.oracle.orders, strict=True):
            assert order.status == twin["status"], (order, twin)
            assert plain(order.filled_qty) == twin["filled"]
            assert order.qty is None or order.filled_qty <= order.qty
            assert self.ends[order.id] == (not order.is_open)

    @invariant()
    def the_stored_rows_are_its_state(self):
        assert told(self.tables) == told(orjson.loads(orjson.dumps(snapshot(self.broker))))

    def teardown(self):
        """The same calls on a fresh broker change the same."""
        market = Prices(SYMBOLS)
        broker = Broker(self.account, market, self.rules)
        for (name, args, kwargs), change in zip(self.log, self.done, strict=True):
            if name in ("on_quote", "on_bar"):
                getattr(market, name)(args[0])
            assert getattr(broker, name)(*args, **kwargs) == change


OPENINGS = {
    "plain": (30_000, False, None, {}, "0", None, False),
    "limits": (10_000, False, "0.3", {"per_order": "1"}, "0", 20, True),
    "shorts": (10_000, True, None, {"per_unit": "0.013", "percent": "0.1"}, "0.02", None, True),
    "tight": (1000, True, "0.3", {"percent": "0.07"}, "0", 20, False),
}
CHECKS = (
    "books_balance",
    "it_is_as_the_oracle_says",
    "every_order_is_as_it_should_be",
    "the_stored_rows_are_its_state",
)


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("seed", [0, 104, 228])
@pytest.mark.parametrize("at_once", [False, True])
def test_long_runs(opening, seed, at_once):
    """Deeper than the machine goes by itself: some hundred steps in one account."""
    dice = Random(seed)
    trading = Trading()
    trading.begin(*OPENINGS[opening], at_once)
    names = [name for name, (often, _) in ARGUMENTS.items() for _ in range(often)]
    for _ in range(150):
        name = dice.choice(names)
        if name in ("cancel", "replace") and not trading.twins():
            continue
        arguments = ARGUMENTS[name][1].items()
        getattr(trading, name)(**{key: dice.choice(CHOICES[of]) for key, of in arguments})
        for check in CHECKS:
            getattr(trading, check)()
    trading.teardown()
    assert len(trading.oracle.fills) > 5


def told(tables):
    """What rows tell of a state."""
    kept = {name: rows for name, rows in tables.items() if isinstance(rows, dict)}
    return {
        name: {
            key: {field: value for field, value in row.items() if field not in UNTOLD}
            for key, row in rows.items()
        }
        for name, rows in kept.items()
    }


TestTrading = Trading.TestCase
TestTrading.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
