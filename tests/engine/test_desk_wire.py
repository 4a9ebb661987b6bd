"""Orders in runs of an engine: bytes on a socket, and calls of the desk that a route would make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from fastrouter import Router
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.desk import RunDesk
from fastrouter.engine.host import Ended, Engine, Options
from fastrouter.errors import OrderError
from fastrouter.net.clock import MonotonicClock
from fastrouter.net.route import Route
from fastrouter.net.server import Server
from fastrouter.session.auth import Verifier

from ..net.wire import HEADERS, Wire
from ..tokens import SECRET

ROWS = """time,symbol,bid,ask
2025-01-01T00:00:00Z,S:A,9,10
2025-01-01T00:00:00Z,S:B,99,100
2025-01-01T00:00:01Z,S:A,19,20
2025-01-01T00:00:02Z,S:A,29,30
2025-01-01T00:00:03Z,S:A,24,25
"""


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start a server whose sessions are in runs over a folder of one data set."""
    (tmp_path / "days.csv").write_text(ROWS)
    ends: list[Callable[[], Awaitable[object]]] = []

    async def start(auth: bool = False, **options) -> Server:
        engine = Engine(Catalog(tmp_path), MonotonicClock(), Options(**options))
        verifier = Verifier(secret=SECRET) if auth else None
        group = Router().group(verifier=verifier)
        route = Route("/ws", manners="backtest", venue=engine)
        server = await group.serve("127.0.0.1", 0, [route], heartbeat=600)
        server.close_seconds = 0.1
        server.engine = engine
        ends.extend([lambda: group.close(0.2), engine.close])
        return server

    yield start
    for end in ends:
        await end()


async def welcomed(server: Server, target: str, headers: str = HEADERS) -> tuple[Wire, dict]:
    wire = await Wire.open(server.port, target, headers)
    assert (await wire.response())[0] == 101
    return wire, await wire.message()


def ack(wire: Wire, *ids: str) -> None:
    wire.say({"type": "event_ack", "correlation_id": "c", "events_processed": ids, "timestamp": 1})


async def got(wire: Wire, count: int) -> list[tuple[str, str]]:
    messages = [await wire.message() for _ in range(count)]
    return [(message["id"], message["type"]) for message in messages]


async def submit(desk: RunDesk, side="buy", qty=1, **fields):
    asked = {"symbol": "A", "side": side, "qty": qty, **fields}
    return (await desk.change(lambda broker, now: broker.submit(asked, now))).order


async def test_a_run_with_orders_from_its_first_to_its_report(serve):
    server = await serve()
    told: list[Ended] = []
    server.engine.on_over = told.append
    wire, welcome = await welcomed(server, "/ws?cash=1000&commission=per_order:1")
    assert await got(wire, 2) == [("evt_1", "quote"), ("evt_2", "quote")]
    desk = server.engine.desk(welcome["run_id"], None)
    order = await submit(desk, qty=10)
    assert (order.symbol, order.status) == ("S:A", "accepted")
    assert await got(wire, 1) == [("evt_3", "order")]
    ack(wire, "evt_1", "evt_2", "evt_3")
    assert await got(wire, 5) == [
        ("evt_4", "quote"),
        ("evt_5", "order"),
        ("evt_6", "trade"),
        ("evt_7", "position"),
        ("evt_8", "account"),
    ]
    await submit(desk, "sell", 10)
    assert await got(wire, 1) == [("evt_9", "order")]
    ack(wire, *(f"evt_{number}" for number in range(4, 10)))
    assert await got(wire, 5) == [
        ("evt_10", "quote"),
        ("evt_11", "order"),
        ("evt_12", "trade"),
        ("evt_13", "position"),
        ("evt_14", "account"),
    ]
    ack(wire, *(f"evt_{number}" for number in range(10, 15)))
    assert await got(wire, 1) == [("evt_15", "quote")]
    ack(wire, "evt_15")
    end = await wire.message()
    assert end["event"] == "BACKTEST_COMPLETE"
    assert end["report"] == {
        "total_trades": 1,
        "win_rate": 1,
        "total_return": 0.088,
        "max_drawdown": 0.011,
        "final_equity": 1088,
    }
    assert (await wire.closed())[0] == 1000
    await wire.bye()
    (ended,) = told
    assert (ended.run_id, ended.why, ended.report.total_trades) == (
        welcome["run_id"], "completed", 1)  # fmt: skip
    assert [float(point.equity) for point in ended.equity] == [1000, 989, 1088]
    with pytest.raises(OrderError, match="is over") as caught:
        await submit(server.engine.desk(welcome["run_id"], None))
    assert caught.value.code == "RUN_OVER"
    assert float(desk.broker.equity) == 1088
