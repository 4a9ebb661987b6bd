"""The protocol of one connection, with a fake now and no socket."""

from __future__ import annotations

import pytest

from fastrouter.errors import CloseCode
from fastrouter.session.acks import Acks
from fastrouter.session.effects import Close, Rejected, Resume
from fastrouter.session.limits import RateLimit
from fastrouter.session.query import Opening
from fastrouter.session.session import Rules

from .peer import SECOND, Client

ACK = {"type": "event_ack", "correlation_id": "c", "events_processed": ["evt_1"], "timestamp": 1}


@pytest.fixture
def client() -> Client:
    made = Client("S:AAPL:quote")
    assert made.read() == [
        {
            "type": "connection",
            "event": "CONNECTED",
            "session_id": "ses_1",
            "last_id": "evt_0",
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
    ({"type": None}, "'type' is null; it must be a string"),
    ({"type": ["x"]}, "'type' is an array; it must be a string"),
    ({"type": "nonsense"}, "type 'nonsense' is not known; allowed: pong, event_ack, subscribe"),
    ({"type": "resume"}, "'since' is missing; it must be a string"),
    ({"type": "resume", "since": 5}, "'since' is a number"),
    ({"type": "resume", "since": "evt_x"}, "since is 'evt_x'; allowed: evt_<n>"),
    ({"type": "Authenticate"}, "'token' is missing"),
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
    (b'{"type":"pong","type":5}', "'type' is a number"),  # the last duplicate key counts
    (b"[" * 100_000, "not JSON"),
    (b'{"type":"pong","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
    (b'{"type":"pong","a":NaN}', "not JSON"),
    (b'{"type":"\\ud800"}', "not JSON"),  # half of a surrogate pair
    (
        b'{"type":"event_ack","correlation_id":"c","events_processed":[],"timestamp":'
        + b"9" * 400
        + b"}",
        "not JSON",
    ),
    ({**ACK, "events_processed": list(range(100_000))}, "must be an array of strings"),
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


def test_binary_is_answered_with_an_error(client):
    assert isinstance(client.session.receive_binary(b"{}", 0), Rejected)
    assert "binary" in client.read()[0]["message"]


def test_ping_every_interval_and_close_when_silent_for_two(client):
    session = client.session
    assert session.deadline == 15 * SECOND
    assert session.tick(15 * SECOND) is None
    assert [m["type"] for m in client.read()] == ["ping"]
    assert session.deadline == 30 * SECOND
    assert session.tick(30 * SECOND) == Close(CloseCode.HEARTBEAT_LOST, "heartbeat lost")


def test_nobody_is_given_up_unasked_because_the_server_stood_still(client):
    session = client.session
    assert session.tick(100 * SECOND) is None
    assert [m["type"] for m in client.read()] == ["ping"]
    assert session.deadline == 115 * SECOND
    assert session.tick(115 * SECOND) == Close(CloseCode.HEARTBEAT_LOST, "heartbeat lost")


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


# ---------------------------------------------------------------------------- limits


def test_warned_at_eighty_percent_closed_beyond_the_limit():
    client = Client("", Rules(rate=RateLimit(messages=10, seconds=60)))
    ask = {"type": "subscribe", "subscriptions": []}
    assert [client.say(ask) for _ in range(10)] == [None] * 10
    assert client.say({"type": "pong"}) is None
    assert client.say(ACK) is None
    (warning,) = [m for m in client.read() if m["type"] == "rate_limit"]
    assert (warning["used"], warning["limit"], warning["window_seconds"]) == (8, 10, 60)
    assert client.say(ask) == Close(
        CloseCode.POLICY, "rate limit: 11 messages in 60 s; allowed: 10"
    )


@pytest.mark.parametrize("rubbish", [b"garbage", {"type": "nonsense"}, {"type": "event_ack"}, None])
def test_what_is_invalid_counts_too(rubbish):
    client = Client("", Rules(rate=RateLimit(messages=3, seconds=60)))
    send = client.say if rubbish is not None else lambda _: client.session.receive_binary(b"{}", 0)
    for _ in range(3):
        assert isinstance(send(rubbish), Rejected)
    assert send(rubbish) == Close(CloseCode.POLICY, "rate limit: 4 messages in 60 s; allowed: 3")


def test_ten_thousand_subscriptions_in_one_message_are_one_error(client):
    many = [f"S:A{n}:quote" for n in range(10_000)]
    effect = client.say({"type": "subscribe", "subscriptions": many})
    assert effect == Rejected("LIMIT_EXCEEDED", "10001 subscriptions; allowed: 1000")
    assert client.say({"type": "subscribe", "subscriptions": []}) is None
    error, answer = client.read()
    assert error["code"] == "LIMIT_EXCEEDED"
    assert answer["subscriptions"] == ["S:AAPL:quote"]


def test_the_limit_is_of_all_that_is_held():
    client = Client("S:A:quote,S:B:quote", Rules(max_subscriptions=3))
    assert client.say({"type": "subscribe", "subscriptions": ["S:A:quote", "S:C:quote"]}) is None
    effect = client.say({"type": "subscribe", "subscriptions": ["S:D:quote"]})
    assert effect.code == "LIMIT_EXCEEDED"
    client.say({"type": "unsubscribe", "subscriptions": ["S:A:quote"]})
    assert client.say({"type": "subscribe", "subscriptions": ["S:D:quote"]}) is None


def test_no_limit_at_all():
    client = Client("", Rules(max_subscriptions=0, rate=RateLimit(messages=0)))
    many = [f"S:A{n}:quote" for n in range(2000)]
    for _ in range(200):
        assert client.say({"type": "subscribe", "subscriptions": many}) is None
    assert len(client.session.held) == 2000


# ----------------------------------------------------------------- resume and conflate


def test_acks_are_noted_with_the_endpoint(client):
    acks = Acks(lambda number: 5 if number == 1 else 0, client.clock)
    client = Client("", Rules(acks=acks))
    client.now = 7
    client.say({**ACK, "events_processed": ["evt_1", "unknown"]})
    assert (acks.messages, acks.events, acks.unknown, sum(acks.latency)) == (1, 2, 1, 1)
    assert client.session.last_ack == 7


def test_resume_holds_the_outbox_and_leaves_the_rest_to_the_caller(client):
    assert client.say({"type": "resume", "since": "evt_42"}) == Resume(42)
    assert client.outbox.asked[-1] == ("hold",)


def test_since_holds_before_anything_is_subscribed():
    client = Client(Opening("*:order", since=7, conflate=250_000_000))
    assert client.opened == Resume(7)
    assert client.outbox.asked == [("pace", 250_000_000), ("hold",), ("subscribe", 1)]


def test_a_malformed_subscription_resumes_nothing():
    client = Client(Opening("order", since=7))
    assert isinstance(client.opened, Rejected)
    assert client.outbox.asked == []
