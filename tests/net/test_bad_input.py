"""What a client should not send, on the wire: its answer, its counter, and the next session."""

from __future__ import annotations

import pytest

from .test_server import VIOLATIONS
from .wire import Wire, frame, until

ACK = b'{"type":"event_ack","correlation_id":"c","events_processed":%s,"timestamp":%s}'
REJECTED = {
    "nested 30,000 deep": b"[" * 30_000 + b"]" * 30_000,
    "nested in a field": b'{"type":"pong","a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "the last duplicate key counts": b'{"type":"pong","type":"nonsense"}',
    "a huge integer": ACK % (b"[]", b"9" * 400),
    "NaN": ACK % (b"[]", b"NaN"),
    "half a surrogate pair": b'{"type":"\\ud800"}',
    "a list of numbers": ACK % (b"[" + b"1," * 20_000 + b"1]", b"1"),
    "a null byte": b'{"type":"pong"}\0',
    "nothing": b"",
    "binary": None,
}


@pytest.mark.parametrize("name", REJECTED)
async def test_it_is_an_error_counted_and_the_connection_stays(serve, open_session, name):
    server = await serve(max_message_bytes=1 << 20)
    wire = await open_session(server)
    data = REJECTED[name]
    wire.send(frame(data) if data is not None else frame(b"{}", 2))
    error = await wire.message()
    assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
    assert len(error["message"]) < 400
    assert server.rejections == {"INVALID_MESSAGE": 1}
    wire.say({"type": "subscribe", "subscriptions": []})
    assert (await wire.message())["type"] == "subscribed"


async def test_a_first_duplicate_key_does_not_count(serve, open_session):
    wire = await open_session(await serve())
    wire.send(frame(b'{"type":"nonsense","type":"subscribe","subscriptions":[]}'))
    assert (await wire.message())["type"] == "subscribed"


async def test_ten_thousand_subscriptions_in_one_message(serve, open_session):
    server = await serve(max_message_bytes=1 << 20)
    wire = await open_session(server)
    many = [f"S:A{n}:quote" for n in range(10_000)]
    wire.say({"type": "subscribe", "subscriptions": many})
    assert (await wire.message())["code"] == "LIMIT_EXCEEDED"
    assert server.rejections == {"LIMIT_EXCEEDED": 1}


async def test_unknown_acks_are_counted_and_never_an_error(serve, open_session):
    server = await serve()
    wire = await open_session(server)
    wire.send(frame(ACK % (b'["unknown","evt_99999999999999999999"]', b"1")))
    wire.say({"type": "subscribe", "subscriptions": []})
    assert (await wire.message())["type"] == "subscribed"
    assert (server.acks.messages, server.acks.unknown) == (1, 2)
    assert not server.rejections


@pytest.mark.parametrize("name", VIOLATIONS)
async def test_a_violation_is_counted_by_its_code(serve, name):
    data, code = VIOLATIONS[name]
    server = await serve()
    wire = await Wire.session(server.port)
    wire.send(data)
    assert (await wire.closed())[0] == code
    await wire.bye()
    await until(lambda: server.closes)
    assert server.closes == {code: 1}
    assert server.crowd.connections == 0


@pytest.mark.parametrize("start", [b"\x81", b"\x81\xfe", frame(b"x" * 1000)[:500]])
async def test_half_a_frame_then_silence_is_4408(serve, open_session, start):
    server = await serve(heartbeat=0.1)
    wire = await Wire.session(server.port)
    wire.send(start)
    assert (await wire.closed())[0] == 4408
    await wire.bye()
    await until(lambda: server.closes)
    assert server.closes == {4408: 1}
    await open_session(server)


async def test_hanging_up_without_a_word_is_1006(serve):
    server = await serve()
    wire = await Wire.session(server.port)
    wire.writer.transport.abort()
    await until(lambda: server.closes)
    assert server.closes == {1006: 1}
