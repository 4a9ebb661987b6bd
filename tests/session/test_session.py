"""The protocol of one connection, with a fake now and no socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Quote
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load
from fastrouter.errors import CloseCode
from fastrouter.session.session import Close, Rejected, Rules, Session
from fastrouter.session.subscriptions import parse

SECOND = 1_000_000_000
START = 1_735_689_600 * SECOND
ACK = {"type": "event_ack", "correlation_id": "c", "events_processed": ["evt_1"], "timestamp": 1}


class Client:
    """A session, what it answered, and a now that moves when told."""

    def __init__(self, subscriptions: str = "S:AAPL:quote") -> None:
        self.router = Router(clock=Clock(START))
        self.sink = MemorySink()
        outbox = self.router.attach(self.sink, load("trading-api"))
        self.now = 0
        self.session = Session("ses_1", outbox, self.router.clock, Rules(15 * SECOND), 0)
        self.session.open(parse(subscriptions))

    def read(self) -> list[dict[str, Any]]:
        while self.router.flush():
            pass
        return [json.loads(message) for message in self.sink.messages()]

    def say(self, message: Any) -> Any:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.session.receive(data, self.now)

    def publish(self, symbol: str) -> None:
        self.router.publish(Quote(symbol, bid=1, ask=2))


@pytest.fixture
def client() -> Client:
    made = Client()
    assert made.read() == [
        {
            "type": "connection",
            "event": "CONNECTED",
            "session_id": "ses_1",
            "timestamp": "2025-01-01T00:00:00.000000Z",
        }
    ]
    return made


def test_subscribe_answers_with_all_now_held_then_snapshots_then_live(client):
    client.publish("C:BTCUSD")
    assert client.say({"type": "subscribe", "subscriptions": ["C:*:quote", "C:X:candle"]}) is None
    client.publish("C:BTCUSD")
    answer, first = client.read()
    assert answer["type"] == "subscribed"
    assert answer["subscriptions"] == ["S:AAPL:quote", "C:*:quote", "C:X:candle"]
    assert first["snapshot"] is True
    assert first["quote"]["seq"] == 2
    client.publish("C:BTCUSD")
    assert [m["quote"]["seq"] for m in client.read()] == [3]


def test_unsubscribe_by_another_spelling_of_the_same_topic(client):
    client.say({"type": "subscribe", "subscriptions": ["C:X:candle"]})
    client.say({"type": "unsubscribe", "subscriptions": ["C:X:candle@1m", "S:AAPL:quote"]})
    client.publish("S:AAPL")
    assert [m["subscriptions"] for m in client.read()] == [["S:AAPL:quote", "C:X:candle"], []]


def test_a_malformed_item_keeps_what_was_held(client):
    effect = client.say({"type": "subscribe", "subscriptions": ["C:*:quote", "C:BTCUSD"]})
    assert isinstance(effect, Rejected)
    client.publish("C:BTCUSD")
    client.publish("S:AAPL")
    error, quote = client.read()
    assert (error["type"], error["code"]) == ("error", "INVALID_SUBSCRIPTION")
    assert "'C:BTCUSD'" in error["message"]
    assert quote["quote"]["symbol"] == "S:AAPL"


def test_acks_are_counted_unknown_ids_too(client):
    assert client.say(ACK) is None
    assert client.say({**ACK, "events_processed": ["unknown", "evt_999"]}) is None
    assert client.say({**ACK, "timestamp": 1.5, "events_processed": []}) is None
    assert (client.session.acks, client.session.acked_events) == (3, 3)
    assert client.read() == []


INVALID = [
    (b"nope", "not JSON"),
    (b"", "not JSON"),
    (b"[1,2", "not JSON"),
    (b"NaN", "not JSON"),
    ([1, 2], "message is an array; allowed: an object"),
    ("text", "message is a string"),
    (5, "message is a number"),
    (True, "message is a boolean"),
    (None, "message is null"),
    ({}, "no 'type'"),
    ({"type": None}, "type 'None' is not known; allowed: pong"),
    ({"type": ["x"]}, "is not known"),
    ({"type": "nonsense"}, "type 'nonsense' is not known; allowed: pong, event_ack, subscribe"),
    ({"type": "x" * 5000}, "is not known"),
    ({"type": "subscribe"}, "'subscriptions' is missing; it must be an array of strings"),
    ({"type": "subscribe", "subscriptions": "S:A:quote"}, "'subscriptions' is a string"),
    ({"type": "subscribe", "subscriptions": [5]}, "must be an array of strings"),
    ({"type": "unsubscribe", "subscriptions": {"a": 1}}, "'subscriptions' is an object"),
    ({"type": "event_ack"}, "'correlation_id' is missing"),
    ({**ACK, "correlation_id": 5}, "'correlation_id' is a number; it must be a string"),
    ({**ACK, "events_processed": "evt_1"}, "'events_processed' is a string"),
    ({**ACK, "events_processed": [1]}, "must be an array of strings"),
    ({**ACK, "timestamp": "now"}, "'timestamp' is a string; it must be a number"),
    ({**ACK, "timestamp": True}, "'timestamp' is a boolean"),
    (b'{"type":"pong","type":5}', "type '5' is not known"),  # the last duplicate key counts
    (b"[" * 5000, "not JSON"),
    (b'{"type":' + b"9" * 400 + b"}", "not JSON"),
]


@pytest.mark.parametrize(("message", "reason"), INVALID)
def test_invalid_message_is_answered_and_the_connection_stays(client, message, reason):
    effect = client.say(message)
    assert isinstance(effect, Rejected)
    assert effect.code == "INVALID_MESSAGE"
    (error,) = client.read()
    assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
    assert reason in error["message"]
    assert len(error["message"]) < 600
    assert list(error) == ["type", "code", "message", "timestamp"]
    client.publish("S:AAPL")
    assert len(client.read()) == 1


@pytest.mark.parametrize("data", [b"\xff", b'{"type":"\xc3\x28"}', b"\xed\xa0\x80"])
def test_text_that_is_not_utf8_closes(client, data):
    assert client.say(data) == Close(CloseCode.INVALID_TEXT, "text is not UTF-8")


def test_binary_is_answered_with_an_error(client):
    assert isinstance(client.session.refuse_binary(0), Rejected)
    assert "binary" in client.read()[0]["message"]


def test_ping_every_interval_and_close_when_silent_for_two(client):
    session = client.session
    assert session.deadline == 15 * SECOND
    assert session.tick(15 * SECOND) is None
    assert [m["type"] for m in client.read()] == ["ping"]
    assert session.deadline == 30 * SECOND
    assert session.tick(30 * SECOND) == Close(CloseCode.HEARTBEAT_LOST, "heartbeat lost")


@pytest.mark.parametrize("message", [{"type": "pong"}, ACK, b"garbage"])
def test_any_message_is_proof_of_life(client, message):
    now = 0
    for _ in range(10):
        client.now = now + 14 * SECOND
        client.say(message)
        now = client.session.deadline
        assert client.session.tick(now) is None
    assert now >= 140 * SECOND


def test_drain_says_so(client):
    client.session.drain()
    assert client.read()[0]["event"] == "DISCONNECTING"
