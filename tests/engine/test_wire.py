"""Backtests over the wire: bytes on a socket."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from unittest.mock import Mock

import pytest

from fastrouter.engine.host import Options
from fastrouter.net.server import Server

from ..backtests import backtests
from ..net.wire import HEADERS, Wire, until
from ..tokens import hs256

ROWS = """time,symbol,bid,ask
2025-01-01T00:00:00Z,S:A,1,2
2025-01-01T00:00:00Z,S:B,3,4
2025-01-01T00:00:01Z,S:A,5,6
2025-01-01T00:00:02Z,S:A,7,8
"""


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start a server whose sessions are in runs over a folder of one data set."""
    (tmp_path / "days.csv").write_text(ROWS)
    async with AsyncExitStack() as ends:

        async def start(
            files: dict[str, str] | None = None, data: bool = True, auth: bool = False, **options
        ) -> Server:
            for name, text in (files or {}).items():
                (tmp_path / name).write_text(text)
            running = backtests(tmp_path if data else None, Options(**options), auth)
            server, server.engine = await ends.enter_async_context(running)
            return server

        yield start


def ack(wire: Wire, *ids: str) -> None:
    wire.say({"type": "event_ack", "correlation_id": "c", "events_processed": ids, "timestamp": 1})


def odd_ack(wire: Wire, *ids: str) -> None:
    """One that C leaves to JSON."""
    wire.say(
        {"type": "event_ack", "correlation_id": "ü", "events_processed": ids, "timestamp": 1.5e3}
    )


async def ids(wire: Wire, count: int) -> list[str]:
    return [(await wire.message())["id"] for _ in range(count)]


async def said(wire: Wire) -> dict:
    """Whatever comes next, after what is asked for is refused or not: nothing came before it."""
    wire.say({"type": "unsubscribe", "subscriptions": []})
    return await wire.message()


async def refused(server: Server, target: str) -> tuple[int, str, str]:
    wire = await Wire.open(server.port, target)
    status, headers = await wire.response()
    body = json.loads(await wire.reader.readexactly(int(headers["content-length"])))
    await wire.bye()
    return status, body["code"], body["message"]


async def welcomed(server: Server, target: str, headers: str = HEADERS) -> tuple[Wire, dict]:
    wire = await Wire.open(server.port, target, headers)
    assert (await wire.response())[0] == 101
    return wire, await wire.message()


async def test_the_welcome_names_what_becomes_of_laggards(serve):
    wire, welcome = await welcomed(await serve(), "/ws?clients=2&run=r&evict=2.5")
    assert welcome["evict"] == 2.5
    await wire.bye()


async def test_the_shortest_patience_is_not_the_longest(serve):
    """Less than a nanosecond is one: none would be to wait for ever."""
    wire, welcome = await welcomed(await serve(), "/ws?clients=2&run=r&evict=1e-12")
    assert welcome["evict"] == 1e-9
    await wire.bye()


@pytest.mark.parametrize("say", [ack, odd_ack])
async def test_a_run_from_its_welcome_to_its_end(serve, say):
    server = await serve()
    wire, welcome = await welcomed(server, "/ws")
    assert (welcome["event"], welcome["member"], welcome["clients"]) == ("CONNECTED", 1, 1)
    assert (welcome["window"], welcome["dataset"]) == (1, "days")
    assert welcome["evict"] is None  # whoever is late is waited for
    assert welcome["run_id"] in server.engine.runs
    assert await ids(wire, 2) == ["evt_1", "evt_2"]
    say(wire, "unknown")
    say(wire, "evt_1")
    say(wire, "evt_1", "evt_3")
    assert (await said(wire))["type"] == "unsubscribed"
    say(wire, "evt_2")
    quote = await wire.message()
    assert (quote["id"], quote["timestamp"]) == ("evt_3", "2025-01-01T00:00:01.000000Z")
    say(wire, "evt_3")
    assert await ids(wire, 1) == ["evt_4"]
    say(wire, "evt_4")
    end = await wire.message()
    wall = end.pop("wall_seconds")
    assert wall >= 0
    assert end == {
        "type": "connection",
        "event": "BACKTEST_COMPLETE",
        "run_id": welcome["run_id"],
        "events": 4,
        "instants": 3,
        "first": "2025-01-01T00:00:00.000000Z",
        "last": "2025-01-01T00:00:02.000000Z",
        "bad_rows": 0,
        "kinds": {"quote": 4},
        "timestamp": "2025-01-01T00:00:02.000000Z",
    }
    assert await wire.closed() == (1000, "backtest complete")
    await wire.bye()
    assert server.engine.runs == {}


async def test_two_runs_are_byte_for_byte_the_same(serve):
    server = await serve()
    streams = []
    for _ in range(2):
        wire, _ = await welcomed(server, "/ws?window=3")
        streams.append([(await wire.frame())[1] for _ in range(4)])
        await wire.bye()
    assert streams[0] == streams[1]


async def test_the_query_chooses(serve):
    server = await serve({"more.csv": ROWS.replace("S:B", "S:C")})
    target = "/ws?dataset=more&start=2025-01-01T00:00:00Z&end=1735689602000&symbols=S:C,S:A"
    wire, _ = await welcomed(server, target + "&window=9&subscriptions=S:*:quote")
    assert [(await wire.message())["quote"]["symbol"] for _ in range(3)] == ["S:A", "S:C", "S:A"]
    ack(wire, "evt_1", "evt_2", "evt_3")
    assert (await wire.message())["events"] == 3
    await wire.bye()


@pytest.mark.parametrize(
    ("query", "status", "code", "why"),
    [
        ("widnow=2", 400, "INVALID_MESSAGE", "'widnow' is not known; allowed: dataset, start"),
        ("window=0", 400, "INVALID_MESSAGE", "window is '0'; allowed: 1 to 1048576"),
        ("window=x", 400, "INVALID_MESSAGE", "window is 'x'"),
        ("start=soon", 400, "INVALID_MESSAGE", "start is 'soon'; allowed: ISO-8601"),
        ("end=99999999999999", 400, "INVALID_MESSAGE", "end is '99999999999999'"),
        ("start=2025-01-02&end=2025-01-02", 400, "INVALID_MESSAGE", "start is not before end"),
        ("symbols=,", 400, "INVALID_MESSAGE", "symbols: ''"),
        ("clients=0", 400, "INVALID_MESSAGE", "clients is '0'"),
        ("evict=-1", 400, "INVALID_MESSAGE", "evict is '-1'; allowed: seconds"),
        ("run=a%20b", 400, "INVALID_MESSAGE", "run is 'a b'; allowed: 1 to 64 of"),
        ("since=evt_1", 400, "INVALID_MESSAGE", "a run goes on by run=<run_id>"),
        ("conflate=1s", 400, "INVALID_MESSAGE", "in a run every event is sent"),
        *(
            (f"dialect={name}", 400, "INVALID_MESSAGE", f"dialect is '{name}', whose messages")
            for name in ("orchestrator", "dgbit", "botcore", "botcore-ai", "alpaca")
        ),
        ("dialect=botcore", 400, "INVALID_MESSAGE", "allowed: trading-api"),
        ("subscriptions=x", 400, "INVALID_SUBSCRIPTION", "it must be {symbol}:{event_type}"),
        ("run=abc", 404, "NO_SUCH_RUN", "there is no run 'abc' any more"),
        ("dataset=nights", 404, "NO_SUCH_DATASET", "no data set 'nights'; there are: days"),
    ],
)
async def test_a_bad_query_is_told_what_is_allowed(serve, query, status, code, why):
    server = await serve()
    found = await refused(server, f"/ws?{query}")
    assert found[:2] == (status, code)
    assert why in found[2]
    assert server.engine.runs == {}


async def test_what_only_looks_like_a_data_set_is_refused_with_its_reason(serve, tmp_path):
    (tmp_path / "hollow").mkdir()
    assert await refused(await serve(), "/ws?dataset=hollow") == (
        *(404, "NO_SUCH_DATASET"),
        "data set 'hollow': no file in it ends with .csv, .csv.gz, .parquet",
    )


async def test_a_dialect_that_has_ids_may_be_named(serve):
    server = await serve()
    wire, _ = await welcomed(server, "/ws?dialect=trading-api")
    assert await ids(wire, 2) == ["evt_1", "evt_2"]
    await wire.bye()


async def test_who_is_subscribed_to_nothing_is_at_the_end_at_once(serve):
    server = await serve()
    wire, _ = await welcomed(server, "/ws?subscriptions=")
    end = await wire.message()
    assert (end["event"], end["events"]) == ("BACKTEST_COMPLETE", 4)
    await wire.bye()


async def test_with_several_data_sets_one_is_named_or_configured(serve):
    server = await serve({"more.csv": ROWS})
    assert await refused(server, "/ws") == (
        *(404, "NO_SUCH_DATASET"),
        "dataset is missing; there are: days, more; say ?dataset=NAME, or have the server choose: "
        "fastrouter serve --dataset NAME, setting backtest.dataset",
    )
    server = await serve(dataset="more")
    wire, welcome = await welcomed(server, "/ws")
    assert welcome["dataset"] == "more"
    await wire.bye()


async def test_without_data_there_is_a_market_that_is_made_up(serve):
    server = await serve(data=False)
    wire, welcome = await welcomed(server, "/ws")
    assert welcome["dataset"] == "synthetic"
    assert (await wire.message())["quote"]["symbol"] in ("S:AAPL", "S:MSFT", "S:GOOGL", "C:BTCUSD")
    await wire.bye()


async def test_data_that_cannot_be_read_ends_the_run(serve):
    server = await serve({"days.csv": ROWS + "2024-01-01T00:00:00Z,S:A,7,8\n"})
    wire, _ = await welcomed(server, "/ws")
    error = await wire.message()
    assert (error["type"], error["code"]) == ("error", "DATA_ERROR")
    assert error["message"].startswith("days.csv: line 6 is of an earlier time")
    assert (await wire.closed())[0] == 1011
    await wire.bye()


@pytest.mark.parametrize("error", [FileNotFoundError(2, "gone"), RuntimeError("gone")])
async def test_data_that_goes_away_ends_the_run(serve, error):
    """Nobody waits for ever, whatever it is that happened to them."""
    server = await serve()
    server.engine.catalog.open = Mock(side_effect=error)
    wire, _ = await welcomed(server, "/ws")
    told = await wire.message()
    assert (told["code"], "gone" in told["message"]) == ("DATA_ERROR", True)
    assert (await wire.closed())[0] == 1011
    await wire.bye()


async def test_a_folder_that_goes_away_has_no_data_sets(serve, tmp_path):
    server = await serve()
    shutil.rmtree(tmp_path)
    status, code, why = await refused(server, "/ws?dataset=days")
    assert (status, code) == (404, "NO_SUCH_DATASET")
    assert "there are: none" in why


async def test_who_comes_back_gets_the_same_bytes_again(serve):
    server = await serve()
    wire, welcome = await welcomed(server, "/ws?subscriptions=*:quote")
    before = [(await wire.frame())[1] for _ in range(2)]
    ack(wire, "evt_2")
    await wire.bye()
    target = f"/ws?run={welcome['run_id']}"
    (member,) = server.engine.runs[welcome["run_id"]].run.members
    await until(lambda: member.outbox is None)
    wire, again = await welcomed(server, target)
    assert (again["run_id"], again["member"]) == (welcome["run_id"], 1)
    assert again["session_id"] != welcome["session_id"]
    assert [(await wire.frame())[1] for _ in range(2)] == before
    ack(wire, "evt_1")
    assert await ids(wire, 1) == ["evt_3"]
    wire.say({"type": "subscribe", "subscriptions": []})
    assert (await wire.message())["subscriptions"] == ["*:quote"]
    await wire.bye()


async def test_another_connection_for_the_same_member_takes_its_place(serve):
    server = await serve()
    first, welcome = await welcomed(server, "/ws")
    assert await ids(first, 2) == ["evt_1", "evt_2"]
    second, _ = await welcomed(server, f"/ws?run={welcome['run_id']}")
    assert (await first.closed())[0] == 1008
    assert await ids(second, 2) == ["evt_1", "evt_2"]
    await first.bye()
    ack(second, "evt_1", "evt_2")
    assert await ids(second, 1) == ["evt_3"]
    await second.bye()


async def test_a_run_whose_client_does_not_come_back_is_forgotten(serve):
    server = await serve(idle_seconds=0.01)
    wire, welcome = await welcomed(server, "/ws")
    await wire.bye()
    await until(lambda: not server.engine.runs)
    assert (await refused(server, f"/ws?run={welcome['run_id']}"))[:2] == (404, "NO_SUCH_RUN")


async def test_a_fleet_shares_an_instant(serve):
    server = await serve()
    a, welcome = await welcomed(server, "/ws?run=fleet&clients=2&subscriptions=S:A:quote")
    assert (await said(a))["type"] == "unsubscribed"
    b, other = await welcomed(server, "/ws?run=fleet&clients=2&subscriptions=S:B:quote")
    assert (welcome["member"], other["member"]) == (1, 2)
    assert (await ids(a, 1), await ids(b, 1)) == (["evt_1"], ["evt_2"])
    ack(a, "evt_1")
    assert (await said(a))["type"] == "unsubscribed"
    assert (await refused(server, "/ws?run=fleet"))[:2] == (409, "RUN_FULL")
    found = await refused(server, "/ws?run=fleet&window=2")
    assert found == (400, "INVALID_MESSAGE",
                     "run fleet has another window; allowed: none, or the same")  # fmt: skip
    assert (await refused(server, "/ws?run=fleet&member=3"))[1] == "NO_SUCH_MEMBER"
    ack(b, "evt_2")
    assert await ids(a, 1) == ["evt_3"]
    ack(a, "evt_3")
    assert await ids(a, 1) == ["evt_4"]
    ack(a, "evt_4")
    for wire in (a, b):
        assert (await wire.message())["event"] == "BACKTEST_COMPLETE"
        assert (await wire.closed())[0] == 1000
        await wire.bye()


async def test_a_laggard_is_evicted_and_all_are_told(serve):
    server = await serve()
    quick, _ = await welcomed(server, "/ws?run=fleet&clients=2&evict=0.01")
    slow, welcome = await welcomed(server, "/ws?run=fleet")
    ack(quick, *await ids(quick, 2))
    for wire in (quick, slow):
        while (news := await wire.message())["type"] == "quote":
            pass
        assert news["event"] == "LAGGARD_EVICTED"
        assert news["session_id"] == welcome["session_id"]
        assert (news["member"], news["reason"]) == (2, "lagging")
    assert (await slow.closed())[0] == 1008
    await slow.bye()
    await quick.bye()


async def test_a_laggard_gets_no_event_between_its_last_and_its_eviction(serve):
    server = await serve()
    quick, _ = await welcomed(server, "/ws?run=fleet&clients=2&evict=0.01")
    slow, _ = await welcomed(server, "/ws?run=fleet")
    ack(quick, *await ids(quick, 2))
    assert await ids(slow, 2) == ["evt_1", "evt_2"]
    assert (await slow.message())["event"] == "LAGGARD_EVICTED"
    assert (await quick.message())["event"] == "LAGGARD_EVICTED"
    assert await ids(quick, 1) == ["evt_3"]
    assert (await slow.closed())[0] == 1008
    await slow.bye()
    await quick.bye()


async def test_heartbeats_move_nothing_and_an_ack_is_proof_of_life(serve):
    server = await serve()
    wire, _ = await welcomed(server, "/ws")
    assert await ids(wire, 2) == ["evt_1", "evt_2"]
    (listener,) = server.listeners
    session = listener.session
    now = server.now()
    session.tick(now + 600_000_000_000)
    ping = await wire.message()
    assert (ping["type"], ping["timestamp"]) == ("ping", "2025-01-01T00:00:00.000000Z")
    wire.say({"type": "pong"})
    ack(wire, "evt_1")
    assert (await said(wire))["type"] == "unsubscribed"
    session.last_seen = now
    session.tick(now + 700_000_000_000)
    assert session.last_seen == now + 700_000_000_000
    assert (session.acks, session.acked_events) == (1, 1)
    await wire.bye()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "event_ack", "correlation_id": "c", "events_processed": [1], "timestamp": 1},
        {"type": "event_ack", "events_processed": ["evt_1", "evt_2"], "timestamp": 1},
        {"type": "event_ack", "correlation_id": "c", "events_processed": ["evt_1", "evt_2"]},
        {"type": "resume", "since": "evt_1"},
        {"type": "get_active_strategies"},
    ],
)
async def test_a_message_that_is_wrong_is_answered_and_moves_nothing(serve, message):
    server = await serve()
    wire, _ = await welcomed(server, "/ws")
    assert await ids(wire, 2) == ["evt_1", "evt_2"]
    wire.say(message)
    assert (await wire.message())["code"] == "INVALID_MESSAGE"
    assert (await said(wire))["type"] == "unsubscribed"
    await wire.bye()


async def test_there_is_no_rate_limit(serve):
    server = await serve()
    wire, _ = await welcomed(server, "/ws")
    assert await ids(wire, 2) == ["evt_1", "evt_2"]
    for _ in range(150):
        ack(wire, "unknown")
        odd_ack(wire, "unknown")
        wire.say({"type": "unsubscribe", "subscriptions": []})
        assert (await wire.message())["type"] == "unsubscribed"
    await wire.bye()


async def test_only_so_many_runs(serve):
    server = await serve(runs=1)
    wire, _ = await welcomed(server, "/ws")
    assert (await refused(server, "/ws"))[:2] == (503, "LIMIT_EXCEEDED")
    await wire.bye()


async def test_a_run_in_which_nobody_is_gives_way_the_one_left_longest_first(serve):
    server = await serve(runs=3)
    stays, first = await welcomed(server, "/ws")
    left = []
    for _ in range(2):
        wire, welcome = await welcomed(server, "/ws")
        (member,) = server.engine.runs[welcome["run_id"]].run.members
        await wire.bye()
        await until(lambda member=member: member.outbox is None)
        left.append(welcome["run_id"])
    wire, _ = await welcomed(server, "/ws")
    assert left[0] not in server.engine.runs
    assert {first["run_id"], left[1]} <= set(server.engine.runs)
    assert (await refused(server, f"/ws?run={left[0]}"))[:2] == (404, "NO_SUCH_RUN")
    back, _ = await welcomed(server, f"/ws?run={left[1]}")
    assert await ids(back, 2) == ["evt_1", "evt_2"]
    assert (await refused(server, "/ws"))[:2] == (503, "LIMIT_EXCEEDED")
    for one in (stays, wire, back):
        await one.bye()


async def test_symbols_that_never_appear_are_named_at_the_end(serve, caplog):
    server = await serve()
    wire, _ = await welcomed(server, "/ws?symbols=S:B,S:ZZ,S:YY")
    ack(wire, *await ids(wire, 1))
    end = await wire.message()
    assert (end["events"], end["unknown_symbols"]) == (1, ["S:ZZ", "S:YY"])
    assert "no row has S:ZZ, S:YY" in caplog.text
    await wire.bye()


async def test_bad_rows_are_named_in_the_log_and_counted_at_the_end(serve, caplog):
    server = await serve({"days.csv": ROWS + "2025-01-01T00:00:03Z,S:A,seven,8\n"})
    wire, welcome = await welcomed(server, "/ws?window=9")
    ack(wire, *await ids(wire, 4))
    assert (await wire.message())["bad_rows"] == 1
    assert f"run {welcome['run_id']}: " in caplog.text
    assert "days.csv: line 6 is left out: " in caplog.text
    await wire.bye()


async def test_with_auth_nothing_begins_before_the_first_message_and_runs_are_ones_own(serve):
    server = await serve(auth=True)
    wire, welcome = await welcomed(server, "/ws?clients=1")
    run = server.engine.runs[welcome["run_id"]].run
    assert not run.begun
    wire.say({"type": "Authenticate", "token": hs256(sub="ann")})
    assert (await wire.message())["type"] == "authenticated"
    assert await ids(wire, 2) == ["evt_1", "evt_2"]
    ack(wire, "evt_1", "evt_2")
    assert await ids(wire, 1) == ["evt_3"]
    headers = HEADERS + f"Authorization: Bearer {hs256(sub='bob')}\r\n"
    thief = await Wire.open(server.port, f"/ws?run={welcome['run_id']}", headers)
    assert (await thief.response())[0] == 409
    await thief.bye()
    await wire.bye()
    (member,) = run.members
    await until(lambda: member.outbox is None)
    for name, said in (("bob", "error"), ("ann", "quote")):
        back, _ = await welcomed(server, f"/ws?run={welcome['run_id']}")
        back.say({"type": "Authenticate", "token": hs256(sub=name)})
        assert (await back.message())["type"] == "authenticated"
        assert (await back.message())["type"] == said
        if name == "bob":
            assert (await back.closed())[0] == 1008
        await back.bye()


async def test_a_reason_is_cut_to_what_a_close_frame_has_room_for(serve):
    """RFC 6455, 5.5: 125 bytes with the code, and whole characters."""
    server = await serve(auth=True)
    wire, _ = await welcomed(server, f"/ws?subscriptions=S:{'%C3%A4' * 60}:quote")
    wire.say({"type": "Authenticate", "token": hs256(subscriptions=["S:A:quote"])})
    assert (await wire.message())["type"] == "authenticated"
    refusal = (await wire.message())["message"]
    code, reason = await wire.closed()
    assert (code, len(reason.encode())) == (1008, 122)
    assert refusal.startswith(reason)
    await wire.bye()


async def test_an_ack_before_authentication_is_not_taken(serve):
    server = await serve(auth=True)
    wire, _ = await welcomed(server, "/ws")
    ack(wire, "evt_1")
    assert (await wire.message())["code"] == "NOT_AUTHENTICATED"
    assert (await wire.closed())[0] == 4401
    await wire.bye()
    await until(lambda: not server.listeners)
    assert server.engine.runs == {}


async def test_a_drain_tells_and_closes(serve):
    server = await serve()
    wire, _ = await welcomed(server, "/ws")
    assert await ids(wire, 2) == ["evt_1", "evt_2"]
    closing = asyncio.ensure_future(server.close(0.3))
    assert (await wire.message())["event"] == "DISCONNECTING"
    assert (await wire.closed())[0] == 1001
    await wire.bye()
    await closing
