"""``wss://`` from outside: the same stream, the same bounds, and peers that speak no TLS."""

from __future__ import annotations

import asyncio
import logging

import pytest
import websockets

from fastrouter import Quote
from fastrouter.net.certificate import Certificate
from tests.certificates import Files, certify

from ..payloads import order
from .slow import conflates
from .wire import Wire, frame, turns

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40)  # and no more


def quote(bid: float = 1.0) -> Quote:
    return Quote("S:AAPL", bid=bid, ask=bid + 1)


@pytest.fixture
def files(tmp_path) -> Files:
    return certify(tmp_path)


@pytest.fixture
def certificate(files) -> Certificate:
    return Certificate(files.cert, files.key)


@pytest.fixture
def secure(serve, certificate):
    """Start a TLS server."""

    async def start(**options):
        return await serve(ssl_context=certificate.context, **options)

    return start


@pytest.fixture
def join(open_session, files):
    """Open a session of a TLS server."""

    async def start(server, **options):
        return await open_session(server, tls=files.trusted(), **options)

    return start


class TestStream:
    async def test_a_burst_is_one_write(self, secure, join, router):
        wire = await join(await secure())
        before = router.counters().sends
        for i in range(100):
            router.publish(quote(float(i)))
        assert [(await wire.message())["quote"]["seq"] for _ in range(100)] == list(range(1, 101))
        assert router.counters().sends == before + 1

    async def test_a_session_that_reads_loses_nothing(self, secure, join, router):
        server = await secure(subscriptions="S:AAPL:quote")
        wires = [await join(server) for _ in range(5)]
        for i in range(2000):
            router.publish(quote(float(i)))
            if i % 64 == 0:
                await router.drained()
                for wire in wires:
                    while wire.reader._buffer:  # type: ignore[attr-defined]
                        await wire.message()
        assert router.counters().conflated["quote"] == 0

    async def test_messages_go_both_ways(self, secure, join):
        wire = await join(await secure(), target="/ws?subscriptions=S:A:quote")
        wire.say({"type": "subscribe", "subscriptions": ["S:B:quote"]})
        assert (await wire.message())["subscriptions"] == ["S:A:quote", "S:B:quote"]
        wire.send(frame(b"hi", 9))
        assert await wire.frame() == (10, b"hi")

    async def test_a_library_we_did_not_write(self, secure, files, router):
        server = await secure()
        url = f"wss://localhost:{server.port}/ws"
        async with websockets.connect(url, ssl=files.trusted()) as client:
            assert '"CONNECTED"' in await client.recv()
            router.publish(quote())
            assert '"quote"' in await client.recv()
        assert client.close_code == 1000
        while server.sessions:
            await turns()


class TestSlowConsumer:
    async def test_it_conflates_and_delays_nobody(self, secure, join, router):
        server = await secure(subscriptions="*:quote")
        well, slow = await join(server), await join(server)
        await conflates(router, well, slow)

    async def test_what_waits_for_it_is_bounded(self, secure, join, router):
        server = await secure(subscriptions="*:quote")
        slow = await join(server)
        slow.writer.transport.pause_reading()
        while not router.counters().conflated["quote"]:
            router.publish(quote())
            await asyncio.sleep(0)
        (listener,) = server._listeners
        sent = router.counters().sent_bytes
        for i in range(20_000):
            router.publish(quote(float(i)))
            if i % 100 == 0:
                await asyncio.sleep(0)
        assert listener.outbox.blocked
        assert listener.outbox.backlog == 0
        assert router.counters().sent_bytes == sent
        held = listener.transport.underlying_transport.get_write_buffer_size()
        assert held < 64 * 1024

    async def test_lossless_past_the_bound_closes_with_4008(self, secure, join, router):
        server = await secure()
        server.close_seconds = 30  # what it still has to read is megabytes
        well, slow = await join(server), await join(server)
        slow.writer.transport.pause_reading()
        note = "x" * 50_000
        while not router.counters().given_up["overflow"]:
            router.publish("order", order(0, reason=note))
            await well.message()
        slow.writer.transport.resume_reading()
        assert (await slow.closed())[0] == 4008

    async def test_one_that_never_reads_again_is_cut(self, secure, join, router):
        server = await secure()
        slow = await join(server)
        slow.writer.transport.pause_reading()
        while not router.counters().given_up["overflow"]:
            router.publish("order", order(0, reason="x" * 50_000))
            await asyncio.sleep(0)
        while server.sessions:
            await turns()
        assert router.counters().sessions == 0


class TestBadInput:
    @pytest.mark.parametrize(
        "data",
        [
            b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x00" * 300,
            b"\x16\x03\x01\xff\xff" + b"x" * 99,
        ],
        ids=["plain HTTP", "zeros", "no hello"],
    )
    async def test_what_is_not_tls_is_hung_up_on(self, secure, join, router, caplog, data):
        server = await secure()
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        wire.send(data)
        await wire.end()
        await wire.bye()
        await self.works(server, join, router)
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    @pytest.mark.parametrize("data", [b"", HELLO], ids=["silence", "half a hello"])
    async def test_a_handshake_that_never_ends_is_cut(self, secure, join, router, data):
        server = await secure(handshake_seconds=0.2)
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        wire.send(data)
        await wire.end()
        await wire.bye()
        await self.works(server, join, router)

    async def test_an_upgrade_that_never_comes_is_cut(self, secure, files):
        server = await secure(handshake_seconds=0.2)
        wire = Wire(*await asyncio.open_connection("localhost", server.port, ssl=files.trusted()))
        wire.send(b"GET /ws HT")
        await wire.end()
        await wire.bye()

    async def test_hanging_up_without_goodbye_frees_the_session(self, secure, join, router):
        server = await secure()
        wire = await join(server)
        wire.writer.transport.abort()
        while server.sessions:
            await turns()
        await self.works(server, join, router)

    async def works(self, server, join, router) -> None:
        wire = await join(server)
        router.publish(quote())
        assert (await wire.message())["type"] == "quote"
        assert server.sessions == 1


class TestReload:
    async def test_new_handshakes_get_it_and_sessions_stay(
        self, secure, join, open_session, files, certificate, router, tmp_path
    ):
        server = await secure()
        before = await join(server)
        new = certify(tmp_path, "new")
        new.cert.replace(files.cert)
        new.key.replace(files.key)
        certificate.reload()
        after = await open_session(server, tls=files.trusted())
        router.publish(quote())
        for wire in (before, after):
            assert (await wire.message())["type"] == "quote"
        seen = after.writer.get_extra_info("ssl_object").getpeercert(True)
        assert seen == files.der
        assert before.writer.get_extra_info("ssl_object").getpeercert(True) != seen


async def test_drain(secure, join):
    server = await secure()
    wire = await join(server)
    closing = asyncio.ensure_future(server.close(grace=5))
    assert (await wire.message())["event"] == "DISCONNECTING"
    assert (await wire.closed())[0] == 1001
    wire.send(frame(b"\x03\xe9", 8))
    await wire.end()
    await closing
    assert server.sessions == 0
