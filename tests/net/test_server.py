"""The server from outside: bytes on a socket, and a client library we did not write."""

from __future__ import annotations

import asyncio
import json
import re
import socket

import pytest
import websockets

from fastrouter import Candle, Quote, Router
from fastrouter.errors import ConfigError

from ..payloads import order
from .slow import conflates
from .wire import HEADERS, Wire, frame, turns


def quote(symbol: str = "S:AAPL", bid: float = 1.0) -> Quote:
    return Quote(symbol, bid=bid, ask=bid + 1)


class TestHandshake:
    @pytest.mark.parametrize(
        ("target", "headers", "status"),
        [
            ("/", HEADERS, 101),
            ("/ws", HEADERS, 101),
            ("/ws?subscriptions=S:A:quote&x=1", HEADERS, 101),
            ("/ws", HEADERS.replace("Connection: Upgrade", "Connection: keep-alive, Upgrade"), 101),
            ("/ws?dialect=trading-api", HEADERS, 101),
            ("/ws?dialect=klingon", HEADERS, 400),
            ("/nope", HEADERS, 404),
            ("/ws/", HEADERS, 404),
            ("//ws", HEADERS, 404),
            ("/ws", "Host: x\r\n", 426),
            ("/healthz", "Host: x\r\n", 200),
            ("/ws?subscriptions=%ff", HEADERS, 400),
            ("/ws\xff", HEADERS, 400),
            ("/ws", HEADERS.replace("Version: 13", "Version: 12"), 426),
            ("/ws", HEADERS.replace("Version: 13", "Version: 8"), 426),
            ("/ws", HEADERS.replace("Sec-WebSocket-Version: 13\r\n", ""), 426),
            ("/ws", HEADERS.replace("Key: ", "Key: x"), 400),
        ],
    )
    async def test_status(self, serve, target, headers, status):
        server = await serve()
        wire = await Wire.open(server.port, target, headers)
        assert (await wire.response())[0] == status
        await wire.bye()

    @pytest.mark.parametrize(
        "request_bytes",
        [
            b"POST /ws HTTP/1.1\r\n\r\n",
            b"GET /ws HTTP/1.0\r\n\r\n",
            b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"\x16\x03\x01\x02\x00\r\n\r\n",
            b"GET /ws HTTP/1.1\r\nnocolon\r\n\r\n",
            b"GET /ws HTTP/1.1\r\n" + b"X: y\r\n" * 400 + b"\r\n",
        ],
    )
    async def test_what_is_not_http_is_refused_and_the_next_session_works(
        self, serve, open_session, request_bytes
    ):
        server = await serve()
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        wire.send(request_bytes)
        assert (await wire.response())[0] == 400
        await wire.end()
        await wire.bye()
        await open_session(server)

    async def test_compression_offers_are_declined(self, serve):
        server = await serve()
        headers = HEADERS + "Sec-WebSocket-Extensions: permessage-deflate\r\n"
        wire = await Wire.open(server.port, "/ws", headers)
        status, answer = await wire.response()
        assert status == 101
        assert "sec-websocket-extensions" not in answer
        await wire.bye()

    async def test_a_handshake_that_never_ends_is_cut(self, serve):
        server = await serve(handshake_seconds=0.05)
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        wire.send(b"GET /ws HT")
        await wire.end()
        await wire.bye()

    async def test_messages_right_behind_the_handshake_are_read(self, serve):
        server = await serve()
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        ask = frame(b'{"type":"subscribe","subscriptions":["S:X:quote"]}')
        wire.send(f"GET /ws?subscriptions=S:A:quote HTTP/1.1\r\n{HEADERS}\r\n".encode() + ask)
        assert (await wire.response())[0] == 101
        assert (await wire.message())["event"] == "CONNECTED"
        assert (await wire.message())["subscriptions"] == ["S:A:quote", "S:X:quote"]
        await wire.bye()


class TestStream:
    async def test_one_publish_leaves_in_the_same_turn(self, serve, router, open_session):
        server = await serve()
        wire = await open_session(server)
        before = router.counters().sends
        router.publish(quote())
        await turns(1)
        assert router.counters().sends == before + 1
        assert (await wire.message())["quote"]["seq"] == 1

    async def test_a_burst_is_one_send(self, serve, router, open_session):
        server = await serve()
        wire = await open_session(server)
        before = router.counters().sends
        for i in range(100):
            router.publish(quote(bid=float(i)))
        assert router.counters().sends == before
        await turns()
        assert router.counters().sends == before + 1
        assert [(await wire.message())["quote"]["seq"] for _ in range(100)] == list(range(1, 101))

    async def test_defaults_give_everything(self, serve, router, open_session):
        server = await serve()
        wire = await open_session(server, "/")
        router.publish(quote())
        router.publish(Candle("C:X", open=1, high=1, low=1, close=1))
        router.publish("order", order(1, "S:AAPL"))
        router.publish("account", {"id": "a-1", "cash": "1"})
        kinds = [(await wire.message())["type"] for _ in range(4)]
        assert kinds == ["quote", "candle", "order", "account"]

    async def test_configured_subscriptions_and_query(self, serve, router, open_session):
        server = await serve(subscriptions="S:AAPL:quote")
        configured = await open_session(server)
        asked = await open_session(server, "/ws?subscriptions=C:*:quote")
        for symbol in ("S:MSFT", "C:BTCUSD", "S:AAPL"):
            router.publish(quote(symbol))
        assert (await configured.message())["quote"]["symbol"] == "S:AAPL"
        assert (await asked.message())["quote"]["symbol"] == "C:BTCUSD"

    async def test_malformed_query_subscription_is_an_error_message(self, serve, open_session):
        server = await serve()
        wire = await open_session(server, "/ws?subscriptions=S:AAPL")
        error = await wire.message()
        assert (error["type"], error["code"]) == ("error", "INVALID_SUBSCRIPTION")
        wire.say({"type": "subscribe", "subscriptions": ["S:A:quote"]})
        assert (await wire.message())["subscriptions"] == ["S:A:quote"]

    async def test_numbers(self, serve, router, open_session):
        server = await serve(decimals="number")
        wire = await open_session(server)
        router.publish(quote(bid=1.5))
        assert (await wire.message())["quote"]["bid"] == 1.5

    async def test_batch_leaves_at_its_end(self, serve, router, open_session):
        server = await serve()
        wire = await open_session(server)
        before = router.counters().sends
        with router.batch():
            router.publish(quote(bid=1.0))
            await turns()
            router.publish(quote(bid=2.0))
            await turns()
            assert router.counters().sends == before
        assert [(await wire.message())["quote"]["bid"] for _ in range(2)] == ["1", "2"]
        assert router.counters().sends == before + 1

    async def test_a_hundred_sessions_in_order(self, serve, router, open_session):
        server = await serve(subscriptions="S:AAPL:quote")
        wires = [await open_session(server) for _ in range(100)]
        for i in range(500):
            router.publish(quote(bid=float(i)))
            if i % 16 == 0:
                await router.drained()
        for wire in wires:
            got = [(await wire.message())["quote"]["seq"] for _ in range(500)]
            assert got == list(range(1, 501))
        assert server.sessions == 100


class TestHeartbeat:
    async def test_ping_and_close_when_silent(self, serve):
        server = await serve(heartbeat=0.1)
        wire = await Wire.session(server.port)
        assert (await wire.message())["type"] == "ping"
        assert (await wire.closed())[0] == 4408
        await wire.bye()

    async def test_pong_keeps_it(self, serve, open_session):
        server = await serve(heartbeat=0.1)
        wire = await open_session(server)
        for _ in range(6):
            assert (await wire.message())["type"] == "ping"
            wire.say({"type": "pong"})

    async def test_protocol_ping_is_answered_and_counts_as_life(self, serve, open_session):
        server = await serve(heartbeat=0.1)
        wire = await open_session(server)
        for n in range(6):
            assert (await wire.message())["type"] == "ping"
            wire.send(frame(b"p%d" % n, 9))
            assert await wire.frame() == (10, b"p%d" % n)


VIOLATIONS = {
    "unmasked": (frame(b"{}", masked=False), 1002),
    "reserved bits": (frame(b"{}", rsv=0x40), 1002),
    "reserved opcode": (frame(b"{}", 3), 1002),
    "long ping": (frame(b"x" * 126, 9), 1002),
    "fragmented ping": (frame(b"x", 9, fin=False), 1002),
    "continuation of nothing": (frame(b"x", 0), 1002),
    "text inside a message": (frame(b"x", 1, fin=False) + frame(b"x", 1), 1002),
    "too big": (frame(b"x" * 65537), 1009),
    "too big by its header": (frame(b"", length=1 << 30), 1009),
    "too big in fragments": (
        frame(b"x" * 40000, 1, fin=False) + frame(b"x" * 40000, 0, fin=False),
        1009,
    ),
    "not UTF-8": (frame(b'{"type":"\xff"}'), 1007),
    "close code 1005": (frame(b"\x03\xed", 8), 1002),
    "one-byte close": (frame(b"\x03", 8), 1002),
}


class TestBadInput:
    @pytest.mark.parametrize("name", VIOLATIONS)
    async def test_violation_closes_and_the_next_session_works(
        self, serve, router, open_session, name
    ):
        data, code = VIOLATIONS[name]
        server = await serve()
        wire = await Wire.session(server.port)
        wire.send(data)
        assert (await wire.closed())[0] == code
        await wire.end()
        await wire.bye()
        other = await open_session(server)
        router.publish(quote())
        assert (await other.message())["type"] == "quote"

    async def test_fragments_make_one_message(self, serve, open_session):
        wire = await open_session(await serve())
        text = json.dumps({"type": "subscribe", "subscriptions": ["S:A:quote"]}).encode()
        wire.send(
            frame(text[:10], 1, fin=False) + frame(b"hi", 9) + frame(text[10:12], 0, fin=False)
        )
        assert await wire.frame() == (10, b"hi")
        wire.send(frame(text[12:], 0))
        assert (await wire.message())["type"] == "subscribed"

    async def test_byte_by_byte(self, serve, open_session):
        wire = await open_session(await serve())
        for byte in frame(b'{"type":"subscribe","subscriptions":[]}'):
            wire.send(bytes([byte]))
            await turns()
        assert (await wire.message())["type"] == "subscribed"

    async def test_binary_is_an_error_and_the_connection_stays(self, serve, open_session):
        server = await serve()
        wire = await open_session(server)
        wire.send(frame(b"{}", 2))
        assert (await wire.message())["code"] == "INVALID_MESSAGE"
        assert server.rejected == 1
        wire.send(frame(b"{", 2, fin=False) + frame(b"}", 0))
        assert (await wire.message())["code"] == "INVALID_MESSAGE"

    async def test_hanging_up_mid_frame_frees_the_session(self, serve, router):
        server = await serve()
        wire = await Wire.session(server.port)
        wire.send(frame(b"x" * 1000)[:500])
        wire.writer.transport.abort()
        while server.sessions:
            router.publish(quote())
            await asyncio.sleep(0.001)
        assert router.counters().sessions == 0


class TestSlowConsumer:
    async def test_it_conflates_and_delays_nobody(self, serve, router, open_session):
        server = await serve(subscriptions="*:quote")
        well = await open_session(server)
        slow = await open_session(server)
        await conflates(router, well, slow)

    async def test_lossless_past_the_bound_closes_with_4008(self, serve, router, open_session):
        server = await serve()
        well = await open_session(server)
        slow = await Wire.session(server.port)
        slow.writer.transport.pause_reading()
        note = "x" * 50_000
        sent = 0
        while not router.counters().given_up["overflow"]:
            router.publish("order", order(0, reason=note))
            sent += 1
            await well.message()
        slow.writer.transport.resume_reading()
        got, code = 0, 0
        while not code:
            opcode, payload = await slow.frame()
            if opcode == 8:
                code = int.from_bytes(payload[:2], "big")
            else:
                got += 1
        assert code == 4008
        assert got < sent
        await slow.bye()


class TestClose:
    async def test_the_peers_close_is_answered(self, serve):
        server = await serve()
        wire = await Wire.session(server.port)
        wire.send(frame(b"\x03\xe8bye", 8))
        assert (await wire.closed())[0] == 1000
        await wire.end()
        await wire.bye()
        while server.sessions:
            await turns()

    async def test_an_empty_close_is_answered(self, serve):
        server = await serve()
        wire = await Wire.session(server.port)
        wire.send(frame(b"", 8))
        assert (await wire.closed())[0] == 1000
        await wire.bye()

    async def test_drain_says_goodbye_flushes_and_closes(self, serve, router):
        server = await serve()
        wire = await Wire.session(server.port)
        for i in range(10):
            router.publish(quote(bid=float(i)))
        closing = asyncio.ensure_future(server.close(grace=5))
        last = [await wire.message() for _ in range(11)]
        assert [m["event"] for m in last if m["type"] == "connection"] == ["DISCONNECTING"]
        assert [m["quote"]["seq"] for m in last if m["type"] == "quote"] == list(range(1, 11))
        code, _ = await wire.closed()
        assert code == 1001
        wire.send(frame(b"\x03\xe9", 8))
        await closing
        assert server.sessions == 0
        await wire.bye()

    async def test_drain_cuts_who_does_not_take_its_bytes(self, serve, router):
        server = await serve()
        wire = await Wire.session(server.port)
        wire.writer.transport.pause_reading()
        while not router.counters().conflated["quote"]:
            router.publish(quote())
            await turns(1)
        await server.close(grace=0.1)
        assert server.sessions == 0
        await wire.bye()

    async def test_draining_refuses_newcomers(self, serve, open_session):
        server = await serve()
        server.close_seconds = 5
        port = server.port
        wire = await open_session(server)
        closing = asyncio.ensure_future(server.close(grace=5))
        assert (await wire.message())["event"] == "DISCONNECTING"
        for target in ("/ws", "/healthz"):
            late = await Wire.open(port, target)
            status, headers = await late.response()
            assert status == 503
            assert int(headers["retry-after"]) >= 1
            await late.bye()
        await wire.closed()
        wire.send(frame(b"\x03\xe9", 8))
        await closing
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    async def test_the_reason_says_when_to_come_back(self, serve):
        server = await serve()
        wires = [await Wire.session(server.port) for _ in range(20)]
        closing = asyncio.ensure_future(server.close(grace=5))
        reasons = [await wire.closed() for wire in wires]
        for wire in wires:
            wire.send(frame(b"\x03\xe9", 8))
        await closing
        said = [re.fullmatch(r"draining; retry_after=(\d+\.\d)", reason) for _, reason in reasons]
        assert all(said)
        assert len({found[1] for found in said}) > 3
        for wire in wires:
            await wire.bye()


class TestUpstream:
    async def test_all_sessions_learn_of_loss_and_return(self, serve, router, open_session):
        server = await serve()
        wires = [await open_session(server) for _ in range(3)]
        server.group.upstream(False)
        server.group.upstream(False)
        late = await open_session(server)  # which is welcomed first
        router.publish(quote())
        server.group.upstream(True)
        server.group.upstream(True)
        for wire in [*wires, late]:
            messages = [await wire.message() for _ in range(3)]
            said = [message["event"] for message in messages if message["type"] == "connection"]
            assert said == ["RECONNECTING", "CONNECTED"]
            assert messages[0]["session_id"].startswith("ses_")

    async def test_a_session_that_comes_later_is_just_welcomed(self, serve, router, open_session):
        server = await serve()
        server.group.upstream(False)
        server.group.upstream(True)
        wire = await open_session(server)
        router.publish(quote())
        assert (await wire.message())["type"] == "quote"


class TestStart:
    async def test_a_taken_port_is_named(self, serve):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}") as caught:
                await Router().serve("127.0.0.1", port)
        assert caught.value.code == "ADDRESS_UNAVAILABLE"

    async def test_a_malformed_subscription_refuses_to_start(self, serve):
        with pytest.raises(ConfigError, match=r"'S:AAPL': the event type must be one of"):
            await serve(subscriptions="S:AAPL:quote,S:AAPL")

    @pytest.mark.parametrize(
        "options",
        [
            {"path": "ws"},
            {"path": ()},
            {"heartbeat": 0},
            {"heartbeat": float("nan")},
            {"max_message_bytes": 0},
            {"handshake_seconds": -1},
            {"default_timeframe": "7m"},
            {"decimals": "roman"},
        ],
    )
    async def test_an_endpoint_that_cannot_be(self, serve, options):
        with pytest.raises(ConfigError, match=r"allowed|must be one of"):
            await serve(**options)

    async def test_unknown_dialect(self, serve):
        with pytest.raises(ConfigError, match="allowed: trading-api"):
            await serve(dialect="klingon")


async def test_the_websockets_library_as_it_comes(serve, router):
    server = await serve()
    async with websockets.connect(f"ws://127.0.0.1:{server.port}") as client:
        event = json.loads(await client.recv())
        assert event["type"] == "connection"
        assert event["event"] == "CONNECTED"
        router.publish(quote())
        assert json.loads(await client.recv())["quote"]["bid"] == "1"
        await (await client.ping())
    assert client.close_code == 1000
    while server.sessions:
        await turns()
