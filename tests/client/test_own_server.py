"""The client against our own server."""

import asyncio

import pytest

from fastrouter import Candle, Event, Quote, Router
from fastrouter.client import Surroundings, connect
from fastrouter.errors import ConnectionFailed, SubscriptionError
from tests.payloads import order


def url_of(server) -> str:
    return f"ws://127.0.0.1:{server.port}/ws"


async def test_the_whole_conversation():
    router = Router()
    server = await router.serve("127.0.0.1", 0)
    router.publish(Quote("S:AAPL", bid=1.5, ask=2.5))
    async with connect(url_of(server), "S:AAPL:quote") as connection:
        welcome, snapshot = [await anext(connection) for _ in range(2)]
        assert welcome.payload["event"] == "CONNECTED"
        assert (snapshot.snapshot, snapshot.bid) == (True, 1.5)

        router.publish(Quote("S:AAPL", bid=1.25, ask=2.5, time=7_000))
        router.publish(Quote("S:MSFT", bid=1, ask=2))
        live = await anext(connection)
        assert (live.snapshot, live.symbol, live.bid, live.time) == (False, "S:AAPL", 1.25, 7_000)

        held = await connection.subscribe("C:*:candle@5m,*:order")
        assert held == ["S:AAPL:quote", "C:*:candle@5m", "*:order"]
        candle = Candle("C:X", timeframe="5m", open=1, high=2, low=0.5, close=1.5, time=300 * 10**9)
        router.publish(candle)
        router.publish("order", order(1, "S:AAPL", event="ORDER_FILLED"))
        candle, filled = [await anext(connection) for _ in range(2)]
        assert isinstance(candle, Candle)
        assert (candle.timeframe, candle.high, candle.closed) == ("5m", 2, True)
        assert isinstance(filled, Event)
        assert (filled.kind, filled.payload["event"]) == ("order", "ORDER_FILLED")

        with pytest.raises(SubscriptionError, match="nonsense"):
            await connection.subscribe("nonsense")
        assert await connection.unsubscribe("S:AAPL:quote", "*:order") == ["C:*:candle@5m"]
        assert connection.stats.gaps == 0

        await server.close(grace=5)
        assert (await anext(connection)).payload["event"] == "DISCONNECTING"


async def test_an_empty_list_stays_empty_after_a_reconnect(surroundings: Surroundings):
    router = Router()
    server = await router.serve("127.0.0.1", 0)
    async with connect(url_of(server), "S:AAPL:quote", surroundings=surroundings) as connection:
        await anext(connection)
        assert await connection.unsubscribe("S:AAPL:quote") == []
        server.abort()
        assert (await anext(connection)).payload["event"] == "CONNECTED"
        assert await connection.subscribe("S:MSFT:quote") == ["S:MSFT:quote"]
        assert connection.stats.reconnects == 1
    await server.close()


async def test_a_restarted_server_is_found_again(surroundings: Surroundings):
    router = Router()
    server = await router.serve("127.0.0.1", 0)
    port = server.port
    async with connect(url_of(server), "*:quote", surroundings=surroundings) as connection:
        await anext(connection)
        await server.close()
        server = await router.serve("127.0.0.1", port)
        events = [await anext(connection) for _ in range(2)]
        assert [event.payload["event"] for event in events] == ["DISCONNECTING", "CONNECTED"]
        router.publish(Quote("S:AAPL", bid=1, ask=2))
        assert isinstance(await anext(connection), Quote)
    await server.close()


async def test_the_heartbeat_is_answered():
    router = Router()
    server = await router.serve("127.0.0.1", 0, heartbeat=0.02)
    async with connect(url_of(server), "*:quote", reconnect=False) as connection:
        await anext(connection)
        while connection.stats.received < 8:  # seven pings: three times the server's patience
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await anext(connection)
        assert server.sessions == 1
    await server.close()


async def test_a_path_that_is_none():
    server = await Router().serve("127.0.0.1", 0)
    with pytest.raises(ConnectionFailed, match="HTTP 404") as caught:
        await anext(connect(f"ws://127.0.0.1:{server.port}/none"))
    assert caught.value.http_status == 404
    await server.close()


async def test_a_slow_consumer_gets_the_newest_quote():
    """Reading stops, the server conflates, and what comes at last is the last that was said."""
    router = Router()
    server = await router.serve("127.0.0.1", 0)
    total = 100_000
    async with connect(url_of(server), "S:AAPL:quote", capacity=16) as connection:
        await anext(connection)
        for first in range(0, total, 500):
            for number in range(first, first + 500):
                router.publish(Quote("S:AAPL", bid=number, ask=number + 1))
            await asyncio.sleep(0)
        while (event := await anext(connection)).bid < total - 1:
            pass
        assert event.seq == total
        stats = connection.stats
        assert stats.pauses >= 1
        assert stats.missed > 0
        assert stats.received - 1 + stats.missed == total
    await server.close()
