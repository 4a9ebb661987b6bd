"""Runs that are over: what is given back, and what is told to who missed the end."""

from __future__ import annotations

import weakref

import pytest

from fastrouter.client import connect
from fastrouter.core.event import Quote
from fastrouter.engine.dataset import Dataset

from ..net.wire import HEADERS, Wire, until
from ..tokens import hs256
from .test_wire import ROWS, ack, ids, refused, serve, welcomed

__all__ = ["serve"]


async def play(wire: Wire) -> dict:
    """To the run's end; what it is told there."""
    for count in (2, 1, 1):
        ack(wire, *await ids(wire, count))
    end = await wire.message()
    assert (await wire.closed())[0] == 1000
    return end


@pytest.mark.parametrize("whole", [True, False])
async def test_runs_that_are_over_leave_nothing_behind(serve, no_collector, whole, monkeypatch):
    monkeypatch.setattr(Dataset, "_size", 60)  # bytes: there is more to read than is read ahead
    rows = "".join(f"2025-01-01T00:00:{second:02}Z,S:A,7,8\n" for second in range(3, 60))
    server = await serve({"days.csv": ROWS if whole else ROWS + rows}, idle_seconds=0.01)
    known = []
    for _ in range(12):
        wire, welcome = await welcomed(server, "/ws")
        run = server.engine.runs[welcome["run_id"]].run
        known += [weakref.ref(run), weakref.ref(run.router)]
        del run
        if whole:
            await play(wire)
        await wire.bye()
        await until(lambda: not server.engine.runs)
    await until(lambda: not server.listeners)
    # of those that are remembered there is one each
    await until(lambda: sum(ref() is not None for ref in known) <= 2 * 8)
    held = [ref() for ref in known if ref() is not None]
    assert not any(getattr(one, "members", None) for one in held)


async def test_who_missed_the_end_is_told_it_again(serve):
    server = await serve()
    wire, welcome = await welcomed(server, "/ws")
    told = await play(wire)
    await wire.bye()
    for more in ("", "&member=1"):
        again, second = await welcomed(server, f"/ws?run={welcome['run_id']}{more}")
        assert (second["run_id"], second["member"]) == (welcome["run_id"], 1)
        assert await again.message() == told
        assert await again.closed() == (1000, "backtest complete")
        await again.bye()
    assert server.engine.runs == {}
    found = await refused(server, f"/ws?run={welcome['run_id']}&member=2")
    assert found[:2] == (404, "NO_SUCH_MEMBER")
    found = await refused(server, f"/ws?run={welcome['run_id']}&window=2")
    assert found[:2] == (400, "INVALID_MESSAGE")


async def test_who_missed_that_the_data_cannot_be_read_on_is_told_it_again(serve):
    server = await serve({"days.csv": ROWS + "2024-01-01T00:00:00Z,S:A,7,8\n"})
    wire, welcome = await welcomed(server, "/ws")
    error = await wire.message()
    await wire.bye()
    again, _ = await welcomed(server, f"/ws?run={welcome['run_id']}")
    assert await again.message() == error
    assert (await again.closed())[0] == 1011
    await again.bye()


async def test_a_run_that_was_left_by_all_is_not_gone_on_with(serve):
    server = await serve(idle_seconds=0.01)
    wire, welcome = await welcomed(server, "/ws")
    await ids(wire, 2)
    await wire.bye()
    await until(lambda: not server.engine.runs)
    found = await refused(server, f"/ws?run={welcome['run_id']}")
    assert found[:2] == (404, "NO_SUCH_RUN")


async def test_the_end_is_told_to_the_runs_own_alone(serve):
    server = await serve(auth=True)
    headers = {
        name: HEADERS + f"Authorization: Bearer {hs256(sub=name)}\r\n" for name in ("ann", "bob")
    }
    wire, welcome = await welcomed(server, "/ws", headers["ann"])
    told = await play(wire)
    await wire.bye()
    target = f"/ws?run={welcome['run_id']}"
    thief = await Wire.open(server.port, target, headers["bob"])
    assert (await thief.response())[0] == 404
    await thief.bye()
    for name, answer in (("bob", "FORBIDDEN"), ("ann", told)):
        later, _ = await welcomed(server, target)
        later.say({"type": "Authenticate", "token": hs256(sub=name)})
        assert (await later.message())["type"] == "authenticated"
        message = await later.message()
        assert answer in (message, message.get("code"))
        assert (await later.closed())[0] == (1000 if name == "ann" else 1008)
        await later.bye()


async def test_a_client_that_loses_its_connection_at_the_end_ends_as_usual(serve, monkeypatch):
    server = await serve()
    usual = server.engine._tell_last

    def cut(hosted, last):
        hosted.last = last
        for listener in list(server.listeners):
            listener.abort()
        monkeypatch.setattr(server.engine, "_tell_last", usual)

    monkeypatch.setattr(server.engine, "_tell_last", cut)
    async with connect(f"ws://127.0.0.1:{server.port}/ws") as connection:
        seen = [event.id async for event in connection if isinstance(event, Quote)]
    assert seen == [1, 2, 3, 4]
    assert connection.stats.sessions == 2
