"""The receiving side against plain publishers in processes of their own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pynng
import pytest

from fastrouter.bus.subscriber import MOST, Subscriber
from fastrouter.errors import ConfigError

from ..net.wire import until
from .peer import FORMS, dialling_publisher, fill, publisher


@asynccontextmanager
async def opened(**options) -> AsyncIterator[Subscriber]:
    found = Subscriber(reconnect=(0.01, 0.05), **options)
    found.open()
    try:
        yield found
    finally:
        found.close()


async def taken(subscriber: Subscriber, count: int) -> list[bytes]:
    messages: list[bytes] = []
    while len(messages) < count:
        messages += await asyncio.wait_for(subscriber.take(), 20)
    return messages


@pytest.mark.parametrize("form", FORMS)
async def test_messages_of_a_publisher_in_another_process(form, tmp_path):
    address = fill(form, tmp_path)
    async with publisher(address) as peer, opened(dial=[peer.address]) as subscriber:
        await until(lambda: subscriber.publishers)
        sent = [b"a %d" % n for n in range(1000)]
        await peer.send(*sent)
        assert await taken(subscriber, 1000) == sent


async def test_empty_messages_between_others():
    async with publisher() as peer, opened(dial=[peer.address]) as subscriber:
        await until(lambda: subscriber.publishers)
        await peer.send(b"a", b"", b"", b"b", b"")
        assert await taken(subscriber, 5) == [b"a", b"", b"", b"b", b""]


async def test_publishers_that_dial_us(tmp_path):
    async with opened(listen=["tcp://127.0.0.1:0", f"ipc://{tmp_path}/bus"]) as subscriber:
        tcp, ipc = subscriber.addresses
        async with dialling_publisher(tcp) as one, dialling_publisher(ipc) as other:
            await until(lambda: subscriber.publishers == 2)
            await one.send(b"one")
            await other.send(b"other")
            assert sorted(await taken(subscriber, 2)) == [b"one", b"other"]


async def test_only_the_topics_that_were_asked_for_and_what_has_none():
    topics = ["job.", "trade.executed"]
    async with (
        publisher() as peer,
        opened(dial=[peer.address], topics=topics) as subscriber,
    ):
        await until(lambda: subscriber.publishers)
        await peer.send(
            *(b"job.created 1", b"signal.generated 2", b"trade.executed 3"),
            *(b"trade.entered 4", b'{"type":"x"}', b"job.failed 5"),
        )
        found = await taken(subscriber, 4)
    assert found == [b"job.created 1", b"trade.executed 3", b'{"type":"x"}', b"job.failed 5"]


async def test_a_publisher_that_was_restarted_is_dialled_again(tmp_path):
    states: list[bool] = []
    address = f"ipc://{tmp_path}/bus"
    async with opened(dial=[address], on_state=states.append) as subscriber:
        for round_ in range(3):
            async with publisher(address) as peer:
                await until(lambda: subscriber.publishers)
                await peer.send(b"%d" % round_)
                assert await taken(subscriber, 1) == [b"%d" % round_]
            await until(lambda: not subscriber.publishers)
        assert states == [True, False] * 3


async def test_a_burst_comes_in_portions():
    async with publisher() as peer, opened(dial=[peer.address]) as subscriber:
        await until(lambda: subscriber.publishers)
        await peer.send(*[b"x"] * (3 * MOST))
        portions = []
        while sum(portions) < 3 * MOST:
            portions.append(len(await asyncio.wait_for(subscriber.take(), 20)))
        assert max(portions) <= MOST


async def test_who_waits_can_be_cancelled_and_nothing_is_left():
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(20):
        async with opened(listen=["tcp://127.0.0.1:0"]) as subscriber:
            taking = asyncio.create_task(subscriber.take())
            await asyncio.sleep(0)
            taking.cancel()
            await asyncio.wait([taking])
            assert taking.cancelled()
    assert threading.active_count() <= threads  # one of an earlier test may have ended meanwhile
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 8  # the library's own


async def test_closed_while_publishers_come_and_go():
    """The threads that tell of them meet a loop that has other things to do, or none."""
    for _ in range(30):
        with pynng.Pub0(listen="tcp://127.0.0.1:0") as peer:
            async with opened(dial=[peer.listeners[0].url]):
                await asyncio.sleep(0)


async def test_an_address_that_is_taken():
    async with opened(listen=["tcp://127.0.0.1:0"]) as first:
        second = Subscriber(listen=first.addresses)
        with pytest.raises(ConfigError, match=r"listen on tcp://.*[Aa]ddress in use") as caught:
            second.open()
    assert caught.value.code == "ADDRESS_UNAVAILABLE"


async def test_nobody_there_is_no_error():
    async with opened(dial=["ipc:///nowhere/at/all", "tcp://nobody.invalid:1"]) as subscriber:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(subscriber.take(), 0)
        assert subscriber.publishers == 0


async def test_closing_twice():
    async with opened(listen=["tcp://127.0.0.1:0"]) as subscriber:
        subscriber.close()
