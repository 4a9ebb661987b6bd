"""The strategies bench: its short form, and what it calls a fault."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from fastrouter import Event
from fastrouter.bench import strategies
from fastrouter.bench.books import Books
from fastrouter.bench.child import ChildFailed
from fastrouter.bench.watcher import Watcher

from ..control.trader import Trader


def test_a_quick_round(capsys: pytest.CaptureFixture[str]):
    assert strategies.main(["--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["faults"] == []
    assert found["acceptance_ms"]["count"] >= 200
    assert found["orders"] >= 400  # those of the warm-up, too
    assert found["fills"] > 0
    assert [aim["holds"] for aim in found["aims"][2:]] == [True, True]


async def test_every_order_ends_once(tmp_path):
    async with Trader(tmp_path) as trader:
        trader.quote()
        await trader.submit(client_order_id="one")
        await trader.submit(client_order_id="two")
    books = Books.read(tmp_path / "state.db")
    one, two = (order["id"] for order in books.orders)
    assert strategies.misended(books, {one: 1, two: 1}) == []
    told = strategies.misended(books, {one: 2, "x": 1})
    assert sorted(told) == sorted(
        [
            f"{one} has 2 terminal events",
            f"{two} has 0 terminal events",
            "x is told, and in no books",
        ]
    )


async def test_a_watcher_counts_ends_and_words():
    watcher = Watcher()
    for status in ("accepted", "filled", "canceled"):
        watcher.note(Event("order", {"id": "a", "status": status}))
    watcher.note(Event("order", {"id": "b", "status": "partially_filled"}))
    assert watcher.ends == Counter({"a": 2, "b": 0})
    watcher.note(Event("signal", {"strategy_id": "s0"}))
    await watcher.heard(["s0"], 1, 0)
    with pytest.raises(ChildFailed, match="nothing in 0 s from s1, s2"):
        await watcher.heard(["s0", "s1", "s2"], 1, 0)


def test_a_strategy_that_fails_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    table = strategies.TABLE.replace("{command}", '["sh", "-c", "exit 3"]')
    monkeypatch.setattr(strategies, "TABLE", table)
    assert strategies.main(["--quick"]) == 2
    assert re.search(r"error: strategy s\d stopped: exit status 3", capsys.readouterr().err)


@pytest.mark.parametrize("option", ["--rate", "--seconds", "--sessions", "--strategies"])
def test_nothing_cannot_be_measured(option, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        strategies.main([option, "0"])
    assert "allowed: numbers above 0" in capsys.readouterr().err
