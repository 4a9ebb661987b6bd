"""The feed of a bus: a publisher in a process of its own, that knows pynng and JSON alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fastrouter.embed import Router
from fastrouter.errors import FeedError
from fastrouter.feeds import open_feed
from fastrouter.feeds.nng import NngFeed

from ..bus.peer import dialling_publisher, publisher
from ..bus.test_reading import DOCUMENT, envelope, message
from ..net.wire import Wire, until

JOB = DOCUMENT[0][1]


def feed_of(address: str, **options: Any) -> NngFeed:
    feed = open_feed(f"nng:{address}", **options)
    assert isinstance(feed, NngFeed)
    return feed


@asynccontextmanager
async def running(feed: NngFeed, router: Router) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run(router))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def quick(address: str, **options: Any) -> NngFeed:
    """Comes back within the patience of a test."""
    return feed_of(address, reconnect=(0.01, 0.05), **options)


async def test_from_a_publisher_to_a_websocket_client():
    """… in three processes' worth of sockets: NNG, the router, a plain client."""
    router = Router()
    server = await router.serve(port=0)
    wire = await Wire.session(server.port, "/ws?subscriptions=*:quote,*:position,*:signal,*:trade")
    try:
        async with publisher() as peer:
            feed = quick(peer.address)
            async with running(feed, router):
                said = [message(*row[:2]) for row in DOCUMENT]
                quote = message("quote", {"symbol": "S:A", "bid": 1.5, "ask": 2})
                await peer.send(*said, quote)
                found = [await asyncio.wait_for(wire.message(), 20) for _ in range(5)]
        entered, exited, signal, executed, quoted = found
        assert entered["position"]["action"] == "OPENED"
        assert entered["position"]["entry_price"] == "42150"
        assert entered["timestamp"] == "2024-01-15T12:00:00.000000Z"
        assert exited["position"]["exit_type"] == "take_profit"
        assert (signal["signal"]["action"], signal["signal"]["confidence"]) == ("BUY", 0.82)
        assert executed["trade"]["executed_price"] == "100"
        assert (quoted["quote"]["bid"], quoted["quote"]["seq"]) == ("1.5", 1)
        assert feed.published == len(DOCUMENT) + 1
        assert feed.bad_rows == 0
    finally:
        await wire.bye()
        await server.close(0)


async def test_bad_messages_are_counted_logged_and_passed_over(caplog):
    bad = [
        *(b"", b"job.created", b"job.created {", b"\xff\xfe", b"{}", b"[1]"),
        *(message("unknown.type", {"a": 1}), message("connection", {"event": "CONNECTED"})),
        *(message("job.created", {"job_id": "1"}), message("job.created", JOB, "noon")),
        *(message("quote", {"symbol": "a b", "bid": 1, "ask": 2}), message("signal", [])),
        b'job.created {"type":"job.created","payload":' + b'{"a":' * 2000,
    ]
    router = Router()
    async with publisher() as peer:
        feed = quick(peer.address)
        with caplog.at_level(logging.WARNING, logger="fastrouter.feeds.nng"):
            async with running(feed, router):
                await peer.send(*bad, message("job.created", JOB))
                await until(lambda: feed.published)
    assert feed.bad_rows == len(bad)
    assert router.counters().events["job"] == 1
    assert [record.message for record in caplog.records] == [
        "left out a message of the bus: no JSON object in b'': b'' (and 0 since the last line)"
    ]


async def test_a_bus_that_comes_and_goes(tmp_path):
    states: list[bool] = []
    address = f"ipc://{tmp_path}/bus"
    router, feed = Router(), quick(address)
    feed.on_state = states.append
    async with running(feed, router):
        await until(lambda: states == [False])
        for round_ in (1, 2, 3):
            async with publisher(address) as peer:
                await peer.send(message("job.created", JOB))
                await until(lambda count=round_: feed.published == count)
            await until(lambda count=round_: states == [False] + [True, False] * count)


async def test_topics():
    router = Router()
    async with publisher() as peer:
        feed = quick(peer.address, topics=["job.*", "signal.generated"])
        async with running(feed, router):
            await peer.send(
                *(message(row[0], row[1]) for row in DOCUMENT),
                *(envelope(row[0], row[1]) for row in DOCUMENT),
                message("job.created", {**JOB, "job_id": "last"}),
            )
            await until(lambda: feed.published == 9)
    counts = router.counters().events
    assert {kind: count for kind, count in counts.items() if count} == {"job": 7, "signal": 2}
    assert feed.bad_rows == 0


async def test_several_publishers_some_of_which_dial_us():
    router = Router()
    async with publisher() as peer:
        feed = NngFeed(dial=[peer.address], listen=["tcp://127.0.0.1:0"])
        async with running(feed, router):
            await until(lambda: feed.subscriber.addresses)
            async with dialling_publisher(feed.subscriber.addresses[0]) as other:
                await peer.send(message("job.created", JOB))
                await other.send(message("job.created", JOB))
                await until(lambda: feed.published == 2)


async def test_it_can_run_again_and_be_closed_unrun():
    router = Router()
    feed = NngFeed(listen=["tcp://127.0.0.1:0"])
    for _ in range(2):
        async with running(feed, router):
            await until(lambda: feed.subscriber.addresses)
    feed.open()
    feed.close()
    feed.close()


async def test_an_address_that_is_taken():
    first = NngFeed(listen=["tcp://127.0.0.1:0"])
    first.open()
    try:
        with pytest.raises(FeedError, match="cannot listen on") as caught:
            await NngFeed(listen=first.subscriber.addresses).run(Router())
    finally:
        first.close()
    assert caught.value.code == "ADDRESS_UNAVAILABLE"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nng", "a bus without an address; write nng:tcp://HOST:PORT"),
        ("nng:", "a bus without an address"),
        ("nng:5555", "'5555' is no address of a bus; allowed: tcp://HOST:PORT"),
        ("nng:http://h:1", "'http://h:1' is no address of a bus"),
    ],
)
def test_an_address_that_is_none(spec, said):
    with pytest.raises(FeedError) as caught:
        open_feed(spec)
    assert said in str(caught.value)


def test_an_unknown_option():
    with pytest.raises(FeedError, match="options: dial, listen, topics, reconnect"):
        open_feed("nng:tcp://h:1", speed=2)


def test_without_pynng(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pynng", None)
    with pytest.raises(FeedError, match=r"pip install 'fastrouter\[nng\]'"):
        open_feed("nng:tcp://h:1")


def test_in_a_line():
    feed = NngFeed("tcp://h:1", listen=["ipc:///run/bus"], topics=["job.*", "quote"])
    assert feed.describe() == "bus tcp://h:1, publishers that dial ipc:///run/bus: job., quote"
    assert feed_of("tcp://h:1").describe() == "bus tcp://h:1: everything"
