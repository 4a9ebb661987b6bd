"""The sending side against plain subscribers in processes of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pynng
import pytest

from fastrouter.bus.publisher import Publisher
from fastrouter.errors import ConfigError

from ..net.wire import until
from .peer import FORMS, fill, subscriber


def envelope(kind: str, number: int = 0) -> bytes:
    return b'{"type":"%b","timestamp":"2024-01-15T10:30:00Z","payload":{"n":%d}}' % (
        kind.encode(),
        number,
    )


@asynccontextmanager
async def opened(address: str = "tcp://127.0.0.1:0", **options) -> AsyncIterator[Publisher]:
    found = Publisher(address, **options)
    try:
        yield found
    finally:
        await found.close()


@pytest.mark.parametrize("form", FORMS)
async def test_a_subscriber_in_another_process_gets_all(form, tmp_path):
    async with (
        opened(fill(form, tmp_path)) as bus,
        subscriber(bus.address) as peer,
    ):
        await until(lambda: bus.subscribers)
        for number in range(500):
            bus.send(envelope("job.created", number))
        for number in range(500):
            assert await peer.line() == b"job.created " + envelope("job.created", number)
        assert bus.sent == 500


async def test_a_subscriber_gets_the_types_it_asked_for():
    async with opened() as bus, subscriber(bus.address, "job.", "signal.generated ") as peer:
        await until(lambda: bus.subscribers)
        for kind in ("trade.entered", "job.created", "order", "signal.generated", "job.failed"):
            bus.send(envelope(kind))
        kinds = [(await peer.line()).split()[0] for _ in range(3)]
        assert kinds == [b"job.created", b"signal.generated", b"job.failed"]


async def test_who_does_not_read_holds_nobody_up():
    """Its own queue loses the oldest; another subscriber gets every message."""
    async with opened(buffer=8) as bus:
        with pynng.Sub0(dial=bus.address, recv_buffer_size=1) as slow:
            slow.subscribe(b"nothing")
            stuck = pynng.Sub0(dial=bus.address, recv_buffer_size=1)
            stuck.subscribe(b"")
            async with subscriber(bus.address, "job.") as peer:
                await until(lambda: bus.subscribers == 3)
                big = envelope("job.created")[:-2] + b',"x":"%b"}}' % (b"x" * 100_000)
                for number in range(200):
                    bus.send(big)
                    bus.send(envelope("job.failed", number))
                    while b"job.failed" not in (line := await peer.line()):
                        pass
                    assert b'"n":%d}' % number in line
            stuck.close()


async def test_what_was_sent_last_arrives_before_it_hangs_up():
    async with opened() as bus, subscriber(bus.address) as peer:
        await until(lambda: bus.subscribers)
        for number in range(100):
            bus.send(envelope("job.created", number))
        await bus.close()
        for number in range(100):
            assert await peer.line() == b"job.created " + envelope("job.created", number)


async def test_nobody_listens():
    async with opened() as bus:
        for number in range(10_000):
            bus.send(envelope("job.created", number))
        assert (bus.subscribers, bus.sent) == (0, 10_000)


async def test_an_address_that_is_taken():
    async with opened() as bus:
        with pytest.raises(ConfigError, match="cannot listen on tcp://") as caught:
            Publisher(bus.address)
    assert caught.value.code == "ADDRESS_UNAVAILABLE"
