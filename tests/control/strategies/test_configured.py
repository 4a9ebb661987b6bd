from __future__ import annotations

import pytest

from fastrouter.broker import Prices
from fastrouter.control.strategies.configured import merged, resolved
from fastrouter.control.strategies.spec import Spec
from fastrouter.errors import OrderError

from .house import SYMBOLS

MARKET = Prices(SYMBOLS)
SPEC = Spec("s", ("x",), "S", ("AAPL", "S:LATER", "LATER"), config={"maxPositionValue": 5.0})


def test_what_is_given_wins():
    assert merged(SPEC, {}, MARKET) == {
        "realTrading": False,
        "maxPositionValue": 5.0,
        "symbols": ["S:AAPL", "S:LATER", "LATER"],
    }
    given = {"symbols": ["S:X"], "maxPositionValue": 7, "realTrading": True}
    assert merged(SPEC, given, MARKET) == given


def test_symbols_as_they_are_called_here():
    given = {"symbols": ["AAPL", "S:AAPL", "BTC/USD", "S:LATER"], "dataResolution": "1m"}
    assert resolved(given, MARKET) == {**given, "symbols": ["S:AAPL", "C:BTCUSD", "S:LATER"]}
    assert resolved({}, MARKET) == {}


@pytest.mark.parametrize(
    ("symbol", "code"), [("LATER", "UNKNOWN_SYMBOL"), ("MSFT", "AMBIGUOUS_SYMBOL")]
)
def test_one_that_cannot_be_told(symbol, code):
    with pytest.raises(OrderError) as caught:
        resolved({"symbols": [symbol]}, MARKET)
    assert caught.value.code == code
