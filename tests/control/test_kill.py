"""SIGKILL with orders flowing: books balance, and each event is told once over all lives."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import websockets

from fastrouter.bench.books import Books

from ..served import Served

TERMINAL = {"filled", "canceled", "rejected", "expired", "replaced"}
SYMBOLS = ("S:AAPL", "S:MSFT", "C:BTCUSD")
TRADERS = 6
AWAY = (httpx.HTTPError, OSError, websockets.WebSocketException)


class Watcher:
    """A session that comes back with the last id it saw, over all lives of the server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.since: str | None = None
        self.ids: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.lives = 0
        self.welcome = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                await self._life()
            except AWAY:
                await asyncio.sleep(0.02)

    async def _life(self) -> None:
        since = f"&since={self.since}" if self.since else ""
        url = f"{self._url}?subscriptions=*:order,*:trade,*:account,*:position{since}"
        async with websockets.connect(url, max_queue=None) as session:
            self.lives += 1
            async for text in session:
                self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "error":
            self.errors.append(message)
        if kind == "connection" and self.since is None:
            self.since = message["last_id"]
            self.welcome.set()
        if kind in ("order", "trade", "position", "account"):
            self.ids.append(message["id"])
            self.since = message["id"]
            self.events.append(message)


class Trader:
    """Orders of every sort; who gets no answer asks again with the same id."""

    def __init__(self, number: int, url: str) -> None:
        self._rng = random.Random(number)
        self._number = number
        self._url = url
        self.accepted: dict[str, str] = {}  # client_order_id -> the order's id
        self.answered = asyncio.Event()

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=5) as http:
            count = 0
            while True:
                count += 1
                name = f"t{self._number}-{count}"
                fields = self._order() | {"client_order_id": name}
                answer = await patiently(lambda: http.post("/v2/orders", json=fields))  # noqa: B023
                self.answered.set()
                if answer.status_code == 200:
                    self.accepted[name] = answer.json()["id"]
                    if self._rng.random() < 0.3:
                        path = f"/v2/orders/{answer.json()['id']}"
                        await patiently(lambda: http.delete(path))  # noqa: B023

    def _order(self) -> dict[str, Any]:
        rng = self._rng
        order: dict[str, Any] = {
            "symbol": rng.choice(SYMBOLS),
            "side": rng.choice(("buy", "buy", "sell")),
            "qty": str(rng.randrange(1, 400) / 100),
            "time_in_force": rng.choice(("gtc", "day", "ioc")),
            "type": "market",
        }
        if rng.random() < 0.4:
            order |= {"type": "limit", "limit_price": str(rng.choice((1, 50, 200, 1000)))}
        return order


async def patiently(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The first answer that is none of a server that is away or leaving."""
    while True:
        try:
            answer = await ask()
        except AWAY:
            await asyncio.sleep(0.02)
            continue
        if answer.status_code < 500:
            return answer


async def flow(server: Served, kills: int, seed: int) -> tuple[Watcher, list[Trader]]:
    """Trade while the server is killed again and again, then come to rest."""
    rng = random.Random(seed)
    watcher = Watcher(server.url(8082))
    rest = server.url(8080, "", "http")
    traders = [Trader(number, rest) for number in range(TRADERS)]
    watching = asyncio.create_task(watcher.run())
    await asyncio.wait_for(watcher.welcome.wait(), 60)
    trading = [asyncio.create_task(trader.run()) for trader in traders]
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(0.2, 1.2))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    for trader in traders:
        trader.answered.clear()
    await asyncio.wait_for(asyncio.gather(*(one.answered.wait() for one in traders)), 60)
    for task in trading:
        task.cancel()
    await asyncio.wait(trading)
    async with httpx.AsyncClient(base_url=rest, timeout=30) as http:
        await patiently(lambda: http.delete("/v2/orders"))
    await asyncio.to_thread(server.stop)
    watching.cancel()
    await asyncio.wait([watching])
    for task in trading:
        assert task.cancelled()
    return watcher, traders


def check_told(watcher: Watcher, orders: list[dict[str, Any]], trades: int) -> None:
    """Every event of every order exactly once, in order."""
    assert watcher.errors == []
    numbers = [int(one.removeprefix("evt_")) for one in watcher.ids]
    assert numbers == sorted(set(numbers))
    said: dict[str, list[str]] = {}
    for event in watcher.events:
        if event["type"] == "order":
            body = event["order"]
            said.setdefault(body["id"], []).append(f"{body['status']}:{body['filled_qty']}")
    assert set(said) == {order["id"] for order in orders}
    for order in orders:
        steps = said[order["id"]]
        assert len(steps) == len(set(steps)), steps
        ends = [step for step in steps if step.partition(":")[0] in TERMINAL]
        assert len(ends) == 1, steps
        assert steps[-1] == ends[0] == f"{order['status']}:{order['filled_qty']}"
    executed = [event["trade"]["id"] for event in watcher.events if event["type"] == "trade"]
    assert len(executed) == len(set(executed)) == trades


LONG = pytest.mark.skipif("CI" in os.environ, reason="a minute or more: CI has the short form")


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
@pytest.mark.parametrize(
    ("kills", "seed"),
    [(3, 1), pytest.param(20, 2, marks=[pytest.mark.slow, LONG, pytest.mark.timeout(600)])],
)
async def test_killed_with_orders_flowing(tmp_path, kills, seed, journal):
    """Without a journal, too: what was announced last is beside the store."""
    files = ("--journal", str(tmp_path / "journal.db")) if journal else ()
    server = Served(
        *(*files, "--store", str(tmp_path / "state.db")),
        *("--symbols", ",".join(SYMBOLS), "--rate", "300", "--no-control"),
        FASTROUTER_BROKER__CASH="1000000",
        FASTROUTER_PORTS__BACKTEST="off",
    )
    with server:
        watcher, traders = await flow(server, kills, seed)
    books = Books.read(tmp_path / "state.db")
    accepted = {name: one for trader in traders for name, one in trader.accepted.items()}
    assert books.faults(accepted) == []
    assert len(books.orders) > 10 * kills
    assert watcher.lives == kills + 1
    check_told(watcher, books.orders, len(books.trades))
