"""Numbers of bodies, exactly as they are written."""

from __future__ import annotations

import random
from decimal import Decimal

import httpx
import orjson
import pytest

from fastrouter.control.decimals import doubles_within, loads
from fastrouter.control.desks import Desks
from fastrouter.control.guard import Guard
from fastrouter.control.rest import build
from fastrouter.control.trading import trading
from fastrouter.control.trading.express import Express
from fastrouter.models.written import Written, doubles

from .memory import MemoryDesk

JSON = {"Content-Type": "application/json"}
LONG = "12345678.123456789"  # as a double 12345678.12345679


@pytest.fixture
async def http():
    desk = MemoryDesk(cash=10**11)
    desk.quote("S:AAPL", 150, 150.5)
    desks = Desks(Guard(None, lambda: 0.0, ()), desk)
    app = Express(build([trading(desks)]), desks)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client


def order(**fields: str) -> bytes:
    """A body, its values as they stand."""
    some = {"symbol": '"AAPL"', "side": '"buy"', "type": '"limit"', "limit_price": "5", **fields}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in some.items()) + "}").encode()


@pytest.mark.parametrize(
    ("qty", "price"),
    [(LONG, "0.100000000000001"), ("1.50", "2e-1"), ("3", "4.0"), ("12345678901E-9", "1E+2")],
)
async def test_an_orders_numbers_are_exact(http, qty, price):
    made = (
        await http.post("/v2/orders", content=order(qty=qty, limit_price=price), headers=JSON)
    ).json()
    assert (Decimal(made["qty"]), Decimal(made["limit_price"])) == (Decimal(qty), Decimal(price))
    body = f'{{"qty":{LONG}}}'.encode()
    answer = await http.patch(f"/v2/orders/{made['id']}", content=body, headers=JSON)
    assert answer.json()["qty"] == LONG


async def test_a_signals_numbers_are_exact(http):
    body = (
        f'{{"symbol":"AAPL","action":"BUY","price":{LONG},"metadata":{{"x":[0.10,{2**70}]}}}}'
    ).encode()
    desk = MemoryDesk()
    desks = Desks(Guard(None, lambda: 0.0, ()), desk)
    transport = httpx.ASGITransport(build([trading(desks)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        assert (await client.post("/v1/signals", content=body, headers=JSON)).status_code == 202
    (signal,) = desk.signals
    assert signal["price"] == LONG
    assert signal["metadata"] == {"x": [0.1, float(2**70)]}


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        ("NaN", 400, "the body is not JSON"),
        ("Infinity", 400, "the body is not JSON"),
        ("1e999999999", 400, "the body is not JSON: number is infinity"),
        ("-1e999999999", 400, "the body is not JSON: number is infinity"),
        ("1e-999999999", 422, "qty: 1E-999999999 has more than 64 digits"),
        ("1e-99999999999999999999", 400, "the exponent of a number is out of range"),
        ("9" * 5000, 400, "the body is not JSON: number is infinity"),
        ("9" * 300, 422, "has more than 64 digits"),
        ("0." + "9" * 5000, 422, "qty: 5002 digits; allowed: 64"),
        ("0.1234567891", 422, "qty is 0.1234567891; allowed: 9 decimals"),
        ("[1.50]", 422, "qty: [1.50] is no number"),
        ("[" * 1000 + "1.5" + "]" * 1000, 400, "it is nested too deep"),
    ],
)
async def test_numbers_that_cannot_be(http, number, status, said):
    answer = await http.post("/v2/orders", content=order(qty=number), headers=JSON)
    assert answer.status_code == status
    assert said in answer.json()["message"]
    assert len(answer.text) < 500


def _any(chance: random.Random, depth: int = 3) -> object:
    if depth and chance.random() < 0.5:
        some = [_any(chance, depth - 1) for _ in range(chance.randrange(4))]
        return some if chance.random() < 0.5 else {str(n): one for n, one in enumerate(some)}
    return chance.choice([None, True, "1.5", 7, -1.25, 1e-7, 2**63, 0.1 + 0.2, "é\ud7ff", ""])


def test_what_is_read_twice_is_the_same():
    chance = random.Random(5)
    for _ in range(500):
        value = _any(chance)
        text = orjson.dumps(value)
        assert doubles_within(value) == any(type(one) is float for one in _leaves(value))
        exact = loads(text, lambda said: True)
        assert doubles(exact) == value == loads(text, lambda said: False)


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]


def test_as_it_is_written():
    assert repr([Written("1.50")]) == "[1.50]"
    assert loads(b"[1.50]", doubles_within) == [Decimal("1.50")]
