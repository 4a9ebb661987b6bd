"""Orders in runs of an engine: bytes on a socket, and calls of the desk that a route would make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fastrouter.engine.desk import RunDesk
from fastrouter.engine.host import Ended, Options
from fastrouter.errors import ConfigError, MessageError, OrderError
from fastrouter.net.server import Server

from ..backtests import backtests
from ..net.wire import HEADERS, Wire, until
from ..tokens import hs256

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
    async with AsyncExitStack() as ends:

        async def start(auth: bool = False, **options) -> Server:
            running = backtests(tmp_path, Options(**options), auth)
            server, server.engine = await ends.enter_async_context(running)
            return server

        yield start


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


async def test_a_run_whose_orders_nobody_made_has_no_report(serve):
    server = await serve()
    told: list[Ended] = []
    server.engine.on_over = told.append
    wire, welcome = await welcomed(server, "/ws?window=9")
    assert server.engine.desk(welcome["run_id"], None).broker.equity == 100_000
    ack(wire, *(one for one, _ in await got(wire, 5)))
    assert "report" not in await wire.message()
    await wire.bye()
    assert told[0].report == (0, 0, 0, 0, 100_000)
    assert [float(point.equity) for point in told[0].equity] == [100_000]


@pytest.mark.parametrize("say", [(), ("evt_3",), ("evt_1", "evt_2"), ("evt_1", "evt_2", "evt_4")])
async def test_no_ack_of_an_orders_event_no_advance(serve, say):
    server = await serve()
    wire, welcome = await welcomed(server, "/ws")
    await got(wire, 2)
    desk = server.engine.desk(welcome["run_id"], None)
    await submit(desk)
    assert await got(wire, 1) == [("evt_3", "order")]
    for _ in range(3):
        ack(wire, *say)
    wire.say({"type": "unsubscribe", "subscriptions": []})
    assert (await wire.message())["type"] == "unsubscribed"
    now = desk.now()
    ack(wire, "evt_3", "evt_2", "evt_1")
    assert await got(wire, 1) == [("evt_4", "quote")]
    assert desk.now() > now
    await wire.bye()


async def stream(server: Server, name: str) -> list[bytes]:
    """All frames of a run whose client buys at first and sells at the third instant."""
    wire, _ = await welcomed(server, f"/ws?run={name}&clients=1")
    desk = server.engine.desk(name, None)
    frames = [(await wire.frame())[1] for _ in range(2)]
    await submit(desk, qty=3)
    frames += [(await wire.frame())[1]]
    ack(wire, "evt_1", "evt_2", "evt_3")
    frames += [(await wire.frame())[1] for _ in range(5)]
    await submit(desk, "sell", qty=2, type="limit", limit_price=25)
    frames += [(await wire.frame())[1]]
    ack(wire, *(f"evt_{number}" for number in range(4, 10)))
    frames += [(await wire.frame())[1] for _ in range(5)]
    await wire.bye()
    return frames


async def test_two_runs_with_the_same_orders_are_byte_for_byte_the_same(serve):
    server = await serve()
    first = await stream(server, "a")
    assert b"ORDER_FILLED" in first[-4]
    assert await stream(server, "b") == first


async def test_who_comes_back_gets_the_events_of_orders_again(serve):
    server = await serve()
    wire, welcome = await welcomed(server, "/ws")
    desk = server.engine.desk(welcome["run_id"], None)
    before = [(await wire.frame())[1] for _ in range(2)]
    await submit(desk)
    before.append((await wire.frame())[1])
    ack(wire, "evt_3")
    await wire.bye()
    (member,) = server.engine.runs[welcome["run_id"]].run.members
    await until(lambda: member.outbox is None)
    with pytest.raises(OrderError, match="waits for a member") as caught:
        await submit(desk)
    assert caught.value.code == "RUN_WAITS"
    wire, _ = await welcomed(server, f"/ws?run={welcome['run_id']}")
    assert [(await wire.frame())[1] for _ in range(3)] == before
    await submit(desk, "sell")
    assert await got(wire, 1) == [("evt_4", "order")]
    ack(wire, "evt_1", "evt_2", "evt_4")
    assert (await got(wire, 1))[0] == ("evt_5", "quote")
    await wire.bye()


async def test_the_account_is_as_the_query_or_the_configuration_says(serve):
    server = await serve(cash=500, commission={"percent": "1"}, shorting=True)
    wire, _ = await welcomed(server, "/ws?run=a&clients=1")
    await got(wire, 2)
    desk = server.engine.desk("a", None)
    account = desk.broker.ledger.account
    assert (account.id, account.start, account.mode) == ("default", 500, "PAPER_TRADING")
    assert (await submit(desk, "sell", 1)).status == "accepted"
    await wire.bye()
    query = "cash=25.5&commission=per_order:1,per_unit:0.5&shorting=false&account=mine"
    wire, _ = await welcomed(server, f"/ws?run=b&clients=1&{query}")
    await got(wire, 2)
    desk = server.engine.desk("b", None)
    assert (await submit(desk, "sell", 1)).code == "INSUFFICIENT_QUANTITY"
    assert (await submit(desk, qty=2)).status == "accepted"
    assert (await submit(desk, qty=1)).code == "INSUFFICIENT_BALANCE"
    account = desk.broker.ledger.account
    assert (account.id, float(account.start)) == ("mine", 25.5)
    assert await got(wire, 3) == [("evt_3", "order"), ("evt_4", "order"), ("evt_5", "order")]
    await wire.bye()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("cash=0", "cash is '0'; allowed: above 0, below 10^12"),
        ("cash=-5", "cash is '-5'"),
        ("cash=nan", "cash is 'nan'"),
        ("cash=1e12", "cash is '1e12'"),
        ("cash=much", "cash is 'much'"),
        ("commission=1", "commission '1' is unknown; allowed: per_order, per_unit, percent"),
        ("commission=percent:-1", "commission percent is '-1'; allowed: 0 to 10^6"),
        ("commission=percent:", "commission percent is ''"),
        ("commission=percent", "commission percent is ''; allowed: 0 to 10^6; separated by commas"),
        ("shorting=maybe", "shorting is 'maybe'; allowed: true, false"),
        ("account=" + "x" * 129, "allowed: 1 to 128 bytes"),
    ],
)
async def test_an_account_that_cannot_be_is_told_what_is_allowed(serve, query, why):
    server = await serve()
    wire = await Wire.open(server.port, f"/ws?{query}")
    status, headers = await wire.response()
    body = (await wire.reader.readexactly(int(headers["content-length"]))).decode()
    assert status == 400
    assert why in body
    await wire.bye()
    assert server.engine.runs == {}


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ({"cash": -1}, "account cash is -1; allowed: 0 to 10\\^12"),
        ({"commission": {"percent": -1}}, "commission percent is -1"),
        ({"commission": {"slippage": 1}}, "commission 'slippage' is unknown"),
    ],
)
async def test_an_account_that_cannot_be_configured(serve, option, why):
    with pytest.raises(ConfigError, match=why):
        await serve(**option)


async def test_before_its_first_instant_it_is_where_the_run_begins(serve):
    server = await serve()
    wire, _ = await welcomed(server, "/ws?run=a&clients=2&start=2025-01-01T00:00:01Z")
    assert server.engine.desk("a", None).now() == 1_735_689_601_000_000_000
    await wire.bye()


async def test_a_run_that_all_have_left_is_told_of_too(serve):
    server = await serve(idle_seconds=0.01)
    told: list[Ended] = []
    server.engine.on_over = told.append
    wire, _ = await welcomed(server, "/ws?run=a&clients=1")
    await got(wire, 2)
    await submit(server.engine.desk("a", None))
    await wire.bye()
    await until(lambda: told)
    assert (told[0].why, told[0].totals.events, told[0].report.total_trades) == ("left", 3, 0)


async def test_a_run_has_one_account(serve):
    server = await serve()
    wire, _ = await welcomed(server, "/ws?run=fleet&clients=2&cash=7")
    other = await Wire.open(server.port, "/ws?run=fleet&cash=8")
    assert (await other.response())[0] == 400
    await other.bye()
    other, _ = await welcomed(server, "/ws?run=fleet&cash=7.0")
    assert await got(other, 2) == [("evt_1", "quote"), ("evt_2", "quote")]
    await other.bye()
    await wire.bye()


async def test_a_run_that_there_is_not(serve):
    server = await serve()
    for name in ("", "nothing", "x" * 1000):
        with pytest.raises(MessageError, match="there is no run") as caught:
            server.engine.desk(name, None)
        assert caught.value.code == "NO_SUCH_RUN"


async def test_with_auth_orders_are_of_a_member_alone_and_it_sees_its_account(serve):
    server = await serve(auth=True)
    headers = HEADERS + f"Authorization: Bearer {hs256(sub='ann')}\r\n"
    wire, welcome = await welcomed(server, "/ws", headers)
    name = welcome["run_id"]
    assert await got(wire, 2) == [("evt_1", "quote"), ("evt_2", "quote")]
    for subject in ("bob", ""):
        with pytest.raises(MessageError, match="is another's") as caught:
            server.engine.desk(name, subject)
        assert caught.value.code == "FORBIDDEN"
    desk = server.engine.desk(name, "ann")
    assert desk is server.engine.desk(name, None)
    assert desk.broker.ledger.account.id == "ann"
    await submit(desk)
    assert await got(wire, 1) == [("evt_3", "order")]
    ack(wire, "evt_1", "evt_2", "evt_3")
    assert [kind for _, kind in await got(wire, 5)][1:] == ["order", "trade", "position", "account"]
    await wire.bye()


async def test_the_last_few_runs_can_still_be_read(serve):
    server = await serve()
    for number in range(10):
        wire, _ = await welcomed(server, f"/ws?run=r{number}&clients=1&window=9")
        ack(wire, *(one for one, _ in await got(wire, 5)))
        await wire.message()
        await wire.bye()
    for number in (0, 1):
        with pytest.raises(MessageError):
            server.engine.desk(f"r{number}", None)
    assert server.engine.desk("r2", None).report().final_equity == 100_000
