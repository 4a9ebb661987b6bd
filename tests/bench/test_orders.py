"""The orders bench: its short form, and what its books call a fault."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import pytest

from fastrouter.bench import orders
from fastrouter.bench.books import Books

from ..control.trader import Trader


def test_a_quick_round(capsys: pytest.CaptureFixture[str]):
    assert orders.main(["--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["faults"] == []
    assert found["acceptance_ms"]["count"] > 10
    assert found["fills"] > 0
    assert [aim["aim"].split()[0] for aim in found["aims"]] == ["p99", "p99"]


@pytest.fixture
async def books(tmp_path) -> Books:
    async with Trader(tmp_path) as trader:
        trader.quote()
        await trader.submit(client_order_id="one")
        trader.quote()
        await trader.submit(client_order_id="two", type="limit", limit_price="1")
    return Books.read(tmp_path / "state.db")


async def test_books_that_balance(books):
    ids = {order["client_order_id"]: order["id"] for order in books.orders}
    assert books.faults(ids) == []
    assert len(books.trades) == 1


async def test_faults_are_told(books):
    ledger = books.broker.ledger
    ledger.account = ledger.account._replace(cash=Decimal(1))
    found = dataclasses.replace(
        books, trades=[], orders=[*books.orders, *books.orders], unannounced=3
    )
    told = "\n".join(found.faults({"never": "x"}))
    for fault in (
        "not start + realised",
        "cash is 1; by the trades, 100000",
        "positions are",
        "3 events were never announced",
        "one is two orders",
        "never was accepted as x, and is None",
        "2 fills, and there are 0 trades",
    ):
        assert fault in told


def test_what_fell_silent_is_no_figure():
    with pytest.raises(orders.ChildFailed, match="nothing arrived"):
        orders.figures([])
