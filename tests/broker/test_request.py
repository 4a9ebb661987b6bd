"""Orders that nobody can mean: what is wrong, and what is allowed."""

from __future__ import annotations

import math
from decimal import Decimal

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given, settings

from fastrouter.broker.request import Request
from fastrouter.errors import OrderError

from .desk import Desk

MARKET = {"symbol": "AAPL", "side": "buy", "qty": 10}
LIMIT = MARKET | {"type": "limit", "limit_price": "1.5"}


def test_the_least_is_a_market_order_of_the_day():
    assert Request.parse(MARKET) == Request(
        "AAPL", "buy", "market", "day", Decimal(10), None, None, None, "", ""
    )


def test_words_come_in_any_case_and_nones_are_not_given():
    fields = LIMIT | {"side": "BUY", "type": "Limit", "time_in_force": "GTC", "stop_price": None}
    assert Request.parse(fields) == Request.parse(LIMIT | {"time_in_force": "gtc"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"symbol": None}, "symbol is missing"),
        ({"symbol": ""}, "symbol is missing"),
        ({"symbol": 5}, "symbol is 5; allowed: a string of up to 128 bytes"),
        ({"symbol": "A" * 129}, "allowed: a string of up to 128 bytes"),
        ({"side": None}, "side is missing; allowed: buy, sell"),
        ({"side": "short"}, "side is 'short'; allowed: buy, sell"),
        ({"type": "trailing_stop"}, "allowed: market, limit, stop, stop_limit"),
        ({"type": ["limit"]}, "type is ['limit']; allowed: market,"),
        ({"time_in_force": "opg"}, "allowed: day, gtc, ioc, fok"),
        ({"qty": None}, "one of qty and notional is required"),
        ({"notional": 5}, "one of qty and notional is required"),
        ({"qty": 0}, "qty is 0; allowed: above 0 and below 10^12"),
        ({"qty": "-1"}, "qty is -1; allowed: above 0"),
        ({"qty": 10**12}, "below 10^12"),
        ({"qty": "0.1234567891"}, "qty is 0.1234567891; allowed: 9 decimals"),
        ({"qty": True}, "qty: True is no number"),
        ({"qty": math.nan}, "qty: nan is not finite"),
        ({"qty": "ten"}, "qty: 'ten' is no number"),
        ({"qty": "1e400"}, "qty: "),
        ({"limit_price": 1}, "limit_price: market orders have none"),
        ({"stop_price": 1}, "stop_price: market orders have none"),
        ({"type": "limit"}, "limit_price: limit orders need one"),
        ({"type": "stop"}, "stop_price: stop orders need one"),
        ({"type": "stop_limit", "limit_price": 1}, "stop_price: stop_limit orders need one"),
        ({"type": "limit", "limit_price": "1e-16"}, "allowed: 15 decimals"),
        ({"type": "limit", "limit_price": 1, "notional": 5, "qty": None}, "notional is for market"),
        ({"client_order_id": 7}, "client_order_id is 7; allowed: a string"),
        ({"strategy_id": "é" * 65}, "strategy_id is "),
        ({"client_order_id": "\ud800"}, "client_order_id is '\\ud800'; allowed: a string"),
        ({"trail_price": 1}, "'trail_price' is unknown; allowed: symbol, side, type,"),
    ],
)
def test_what_is_wrong_is_named(change, said):
    with pytest.raises(OrderError) as caught:
        Request.parse(MARKET | change)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.code == "INVALID_ORDER"


def test_trailing_zeros_are_no_decimals():
    assert Request.parse(MARKET | {"qty": "1.50000000000"}).qty == Decimal("1.5")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(Request._fields), ANYTHING), st.booleans())
def test_whatever_is_asked_for_is_an_order_or_refused(fields, whole):
    desk = Desk()
    desk.quote(99, 100)
    try:
        change = desk.broker.submit((LIMIT if whole else {}) | fields, desk.now)
    except OrderError as error:
        said = str(error)
    else:
        said = ""
        orjson.dumps([row.values for row in change.rows])
        desk.took(change)
    assert b"\n" not in said.encode()
