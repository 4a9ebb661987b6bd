"""A server whose disk takes nothing more: no order is taken, quotes flow, and it recovers."""

from __future__ import annotations

import json
import resource

import httpx
import websockets

from fastrouter.bench.books import Books

from ..served import Served

ORDER = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "gtc", "qty": "1"}


async def quotes(url: str, count: int) -> None:
    """See so many go by."""
    async with websockets.connect(f"{url}?subscriptions=*:quote") as session:
        while count:
            count -= json.loads(await session.recv())["type"] == "quote"


async def test_no_order_is_taken_and_it_recovers(tmp_path):
    store = tmp_path / "state.db"
    server = Served(
        *("--store", str(store), "--symbols", "S:AAPL", "--rate", "200", "--no-control"),
        FASTROUTER_PORTS__BACKTEST="off",
    )
    accepted: dict[str, str] = {}
    with server:
        async with httpx.AsyncClient(base_url=server.url(8080, "", "http"), timeout=30) as http:

            async def post(name: str) -> httpx.Response:
                answer = await http.post("/v2/orders", json=ORDER | {"client_order_id": name})
                if answer.is_success:
                    accepted[name] = answer.json()["id"]
                return answer

            await quotes(server.url(8082), 1)
            assert (await post("before")).status_code == 200
            full = store.with_name("state.db-wal").stat().st_size
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
            refused = [await post(f"full-{number}") for number in range(20)]
            assert {answer.status_code for answer in refused[1:]} == {503}
            assert refused[-1].json()["code"] == "STORE_ERROR"
            assert refused[-1].headers["Retry-After"] == "1"
            listed = await http.get("/v2/orders", params={"status": "all"})
            assert {order["client_order_id"] for order in listed.json()} == set(accepted)
            await quotes(server.url(8082), 50)
            resource.prlimit(
                server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
            assert (await post("after")).status_code == 200
            assert (await post("full-19")).status_code == 200
        log = server.stop()
    assert "orders are not taken" in log
    assert "orders are taken again" in log
    books = Books.read(store)
    assert books.faults(accepted) == []
    names = {order["client_order_id"] for order in books.orders}
    assert names == set(accepted)
