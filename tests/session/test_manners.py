"""Each way to talk, by the client messages of the seeds: whole, bad, too early, too many, none."""

from __future__ import annotations

from typing import Any

import pytest

from fastrouter.core.kinds import KINDS
from fastrouter.errors import CloseCode, SubscriptionError
from fastrouter.session.auth import Verifier
from fastrouter.session.effects import Authenticated, Close, Command, Rejected, Resume
from fastrouter.session.limits import rate_limit
from fastrouter.session.manners import MANNERS, manners
from fastrouter.session.query import Opening
from fastrouter.session.session import Rules, State

from ..tokens import SECRET, hs256
from .peer import BINARY, SECOND, Client, Envelope

#: those of live sessions
ROWS = ("trading-api", "orchestrator", "dgbit", "dgbit-job", "botcore", "botcore-ai", "alpaca")
CORE = ("botcore", "botcore-ai")
DGBIT = ("dgbit", "dgbit-job")
ORCH = ("trading-api", "orchestrator")
JOB = "550e8400-e29b-41d4-a716-446655440000"
VERIFIER = Verifier(secret=SECRET)
TOKEN = hs256(strategies=True)


def client(row: str, opening: Opening | str | None = "", **rules: Any) -> Client:
    """A session of that row that has read its welcome."""
    name = "dgbit" if row in DGBIT else row
    found = Client(
        opening,
        Rules(manners=manners(row), rate=rate_limit(name), **rules),
        dialect=Envelope(name),
        variable=JOB,
    )
    found.answers()
    found.outbox.asked.clear()
    return found


# ------------------------------------------------------------- what the seeds' clients say

ACK = {
    "type": "event_ack",
    "correlation_id": "550e8400-e29b-41d4-a716-446655440000",
    "events_processed": ["evt_123", "evt_124"],
    "timestamp": 1700000000000,
}
PING = {"type": "Ping", "timestamp": 1697234567000}
START = {
    "type": "start_strategy",
    "id": "strategy-id",
    "config": {
        "symbols": ["AAPL", "MSFT"],
        "dataResolution": "1m",
        "realTrading": False,
        "maxPositionValue": 10000,
        "maxOrdersPerMinute": 5,
        "stopLossPercentage": 0.02,
    },
}
HELD = {"subscriptions": ["S:A:quote"]}

#: rows, message, what is answered, the effect
SAID = [
    (ROWS, {"type": "pong"}, [], None),
    (ROWS, ACK, [], None),
    (ROWS, {**ACK, "events_processed": ["unknown"]}, [], None),
    (
        ROWS,
        {"type": "Authenticate", "token": "x.y.z"},
        [("authenticated", {"subject": None})],
        None,
    ),
    (ROWS, {"type": "subscribe", **HELD}, [("subscribed", HELD)], None),
    (ROWS, {"type": "unsubscribe", **HELD}, [("unsubscribed", {"subscriptions": []})], None),
    (ROWS, {"type": "resume", "since": "evt_7"}, [], Resume(7)),
    (CORE, PING, [("pong", {})], None),
    (CORE, {"type": "Ping"}, [("pong", {})], None),
    (ORCH, {"type": "get_active_strategies"}, [], Command("get_active_strategies", {})),
    (ORCH, START, [], Command("start_strategy", {k: START[k] for k in ("id", "config")})),
    (ORCH, {"type": "stop_strategy", "id": "s"}, [], Command("stop_strategy", {"id": "s"})),
    (ORCH, {"type": "pause_strategy", "id": "s"}, [], Command("pause_strategy", {"id": "s"})),
    (ORCH, {"type": "get_risk_status"}, [], Command("get_risk_status", {})),
]
SAID_BY = [(row, *said) for rows, *said in SAID for row in rows]
names = [f"{row}-{message['type']}" for row, message, *_ in SAID_BY]


@pytest.mark.parametrize(("row", "message", "answers", "effect"), SAID_BY, ids=names)
def test_a_message_of_the_seeds_is_understood(row, message, answers, effect):
    session = client(row)
    assert session.say(message) == effect
    assert session.answers() == answers


#: message, what is wrong with it; where its type is known
BAD = [
    (ROWS, {"type": "subscribe"}, "'subscriptions' is missing"),
    (ROWS, {"type": "unsubscribe", "subscriptions": "S:A:quote"}, "'subscriptions' is a string"),
    (ROWS, {"type": "resume", "since": 5}, "'since' is a number; it must be a string"),
    (ROWS, {"type": "resume", "since": "x"}, "since is 'x'"),
    (ROWS, {"type": "Authenticate"}, "'token' is missing"),
    (ROWS, {"type": "Authenticate", "token": None}, "'token' is null"),
    (ROWS, {"type": "event_ack"}, "'correlation_id' is missing"),
    (ROWS, {**ACK, "timestamp": "now"}, "'timestamp' is a string"),
    (ROWS, {**ACK, "events_processed": [None]}, "must be an array of strings"),
    (CORE, {"type": "Ping", "timestamp": "now"}, "'timestamp' is a string; it must be a number"),
    (CORE, {"type": "Ping", "timestamp": None}, "'timestamp' is null"),
    (ORCH, {"type": "start_strategy"}, "'id' is missing"),
    (ORCH, {"type": "stop_strategy", "id": 5}, "'id' is a number; it must be a string"),
    (ORCH, {"type": "pause_strategy", "id": ""}, "id is ''; allowed: 1 to 128 bytes"),
]
BAD_BY = [(row, *bad) for rows, *bad in BAD for row in rows]


@pytest.mark.parametrize(("row", "message", "reason"), BAD_BY)
def test_wrong_fields_are_an_error_in_every_row(row, message, reason):
    session = client(row)
    effect = session.say(message)
    ((kind, body),) = session.answers()
    assert (kind, body["code"]) == ("error", "INVALID_MESSAGE")
    assert reason in body["message"]
    assert effect == Rejected("INVALID_MESSAGE", body["message"])
    assert session.session.rejected == 1


UNKNOWN: list[tuple[Any, str]] = [
    ({"type": "nonsense"}, "type 'nonsense' is not known; allowed: pong, event_ack"),
    ({"type": "x" * 5000, "a": 1}, "is not known"),
    ({"type": None}, "'type' is null; it must be a string"),
    ({"type": ["subscribe"]}, "'type' is an array"),
    ({"hello": "there"}, "message has no 'type'"),
    ({}, "message has no 'type'"),
    ([1, 2], "message is an array; allowed: an object"),
    ("text", "message is a string"),
    (5, "message is a number"),
    (None, "message is null"),
]


def not_known(row: str, message: Any, reason: str) -> list[tuple[str, Any]]:
    if row == "dgbit":
        return [("echo", {"received": message})]
    if row == "dgbit-job":
        return [("ack", {"job_uuid": JOB})]
    if row == "alpaca":
        return [("error", reason.replace("has no 'type'", "has no 'action'"))]
    return [("error", reason)]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(("message", "reason"), UNKNOWN)
def test_what_no_handler_knows(row, message, reason):
    session = client(row)
    effect = session.say(message)
    ((kind, body),) = session.answers()
    ((expected, told),) = not_known(row, message, reason)
    assert kind == expected
    if kind == "error":
        assert body["code"] == effect.code == "INVALID_MESSAGE"
        assert told in body["message"]
    else:
        assert body == told
        assert (effect, session.session.rejected) == (None, 0)


COMMON = "pong, event_ack, subscribe, unsubscribe, resume, Authenticate"
COMMANDS = "get_active_strategies, start_strategy, stop_strategy, pause_strategy, get_risk_status"
KNOWN = {
    **dict.fromkeys(ORCH, f"allowed: {COMMON}, {COMMANDS}"),
    **dict.fromkeys(CORE, f"allowed: {COMMON}, Ping"),
    **dict.fromkeys(DGBIT, ""),
    "alpaca": f"allowed: {COMMON}, authenticate, auth, listen",
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(
    "message",
    [
        PING,
        {"type": "ping"},
        {"type": "welcome"},
        START,
        {"type": "get_active_strategies"},
        {"type": "get_risk_status"},
    ],
)
def test_what_another_row_knows_is_not_known_here(row, message):
    if message["type"] in manners(row).handlers[State.LIVE]:
        return
    session = client(row)
    session.say(message)
    ((kind, body),) = session.answers()
    told = body["message"] if kind == "error" else body
    assert [(kind, told)] == not_known(
        row, message, f"type {message['type']!r} is not known; {KNOWN[row]}"
    )


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(
    "rubbish", [b"", b"hello", b"{'type':'pong'}", b"{}{}", b"[" * 5000, b"NaN", BINARY]
)
def test_what_is_not_json_is_an_error_and_in_dgbit_a_log_line(row, rubbish):
    session = client(row)
    effect = session.say(rubbish)
    assert (effect.code, session.session.rejected) == ("INVALID_MESSAGE", 1)
    kinds = [kind for kind, _ in session.answers()]
    assert kinds == ([] if row in DGBIT else ["error"])
    assert session.say({"type": "subscribe", **HELD}) is None


@pytest.mark.parametrize(
    "text",
    [
        b' {"b":1,\n"a":[1.0,1e3,"\\u00e9"]} ',
        b'{"a":1,"a":2}',
        b"123456789012345678901234567890",
        b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
def test_an_echo_is_what_came_to_the_byte(text):
    session = client("dgbit")
    assert session.say(text) is None
    session.router.flush()
    (message,) = session.sink.messages()
    assert message == b'{"in":"dgbit","kind":"echo","body":{"received":' + text + b"}}"


# ---------------------------------------------------------------------------- authenticate


@pytest.mark.parametrize(("row", "message", "answers", "effect"), SAID_BY, ids=names)
def test_before_authenticate_everything_else_is_the_end(row, message, answers, effect):
    session = client(row, verifier=VERIFIER)
    effect = session.say(message)
    ((kind, body),) = session.answers()
    assert (kind, body["code"]) == ("error", "NOT_AUTHENTICATED")
    assert effect == Close(CloseCode.NOT_AUTHENTICATED, body["message"])


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("message", [b"rubbish", b"5", b"{}", {"type": "nonsense"}, BINARY])
def test_so_is_what_is_no_message(row, message):
    session = client(row, verifier=VERIFIER)
    effect = session.say(message)
    assert effect.code == CloseCode.NOT_AUTHENTICATED
    assert [body["code"] for _, body in session.answers()] == ["NOT_AUTHENTICATED"]


@pytest.mark.parametrize(("row", "message", "answers", "effect"), SAID_BY, ids=names)
def test_after_authenticate_all_is_as_without(row, message, answers, effect):
    session = client(row, verifier=VERIFIER)
    assert session.say({"type": "Authenticate", "token": TOKEN}) == Authenticated("ada")
    assert [kind for kind, _ in session.answers()] == ["authenticated"]
    if message["type"] == "Authenticate":
        assert session.say(message).code == CloseCode.NOT_AUTHENTICATED
    else:
        assert session.say(message) == effect
        assert session.answers() == answers


# --------------------------------------------------------------------------------- welcome


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("verifier", [None, VERIFIER])
def test_the_welcome_comes_first_and_before_authenticate_alone(row, verifier):
    name = "dgbit" if row in DGBIT else row
    rules = Rules(manners=manners(row), verifier=verifier)
    session = Client(None, rules, dialect=Envelope(name), variable=JOB)
    session.router.publish("job", {"id": JOB}, symbol=JOB)
    (kind, body), *more = session.answers()
    assert (kind, body["session_id"], body["last_id"]) == ("welcome", "ses_1", "evt_0")
    assert body.get("job_uuid") == (JOB if row == "dgbit-job" else None)
    assert bool(more) is (verifier is None and row != "alpaca")


def test_a_welcome_of_a_job_says_which():
    rules = Rules(manners=manners("dgbit-job"))
    ((_, body),) = Client("", rules, dialect=Envelope("dgbit"), variable=JOB).answers()
    assert body["message"].startswith(f"Subscribed to job {JOB}: ")
    assert f"GET /v1/jobs/{JOB} " in body["message"]


# -------------------------------------------------------------------- default subscriptions

NOT_MARKET = {f"*:{kind}" for kind in KINDS} - {"*:quote", "*:candle"}

DEFAULTS = {
    "trading-api": {"*:quote", "*:candle", *NOT_MARKET},
    "orchestrator": {"*:quote", "*:candle", *NOT_MARKET},
    "dgbit": {"*:quote", "*:candle", *NOT_MARKET},
    "dgbit-job": {f"{JOB}:job"},
    "botcore": {
        "*:quote",
        *(f"*:candle@{name}" for name in ("1m", "5m", "15m", "1h", "4h", "1d")),
        *NOT_MARKET,
    },
    "botcore-ai": NOT_MARKET,
    "alpaca": set(),
}


@pytest.mark.parametrize("row", ROWS)
def test_who_names_nothing(row):
    assert set(client(row, None).session.held.values()) == DEFAULTS[row]
    assert client(row, "S:A:quote").session.held == {("S:A", "quote"): "S:A:quote"}


def test_the_endpoints_own_default_goes_before_the_rows():
    rules = Rules(manners=manners("dgbit-job"), subscriptions=())
    assert Client(None, rules, variable=JOB).session.held == {}


@pytest.mark.parametrize("variable", [None, "", "*", "a,*:order", "a b", "x" * 129, "a\n"])
def test_a_path_whose_variable_is_no_symbol(variable):
    with pytest.raises(SubscriptionError, match="allowed: 1 to 128 bytes"):
        manners("dgbit-job").default("1m", variable)
    rules = Rules(manners=manners("dgbit-job"))
    session = Client(None, rules, dialect=Envelope("dgbit"), variable=variable)
    assert session.opened.code == "INVALID_SUBSCRIPTION"
    assert session.session.held == {}


# -------------------------------------------------------------------------- beat and silence

#: row -> what it sends each 15 s, seconds of silence until it is closed
SILENCE = {
    "trading-api": ("ping", 30),
    "orchestrator": (b"\x09", 30),
    "dgbit": (b"\x09", 30),
    "dgbit-job": (b"\x09", 30),
    "botcore": (b"\x09", 90),
    "botcore-ai": (b"\x09", 90),
    "alpaca": (b"\x09", 30),
}


def beats(session: Client) -> list[Any]:
    """Messages and frames that are a beat."""
    frames = [bytes([one[1]]) for one in session.outbox.asked if one[0] == "frame"]
    session.outbox.asked.clear()
    return [kind for kind, _ in session.answers()] + frames


@pytest.mark.parametrize("row", ROWS)
def test_beats_and_the_end_of_patience(row):
    session = client(row)
    beat, seconds = SILENCE[row]
    assert session.wait(seconds - 0.001) is None
    assert beats(session) == [beat] * ((seconds - 1) // 15)
    assert session.wait(1) == Close(CloseCode.HEARTBEAT_LOST, "heartbeat lost")
    assert session.now == seconds * SECOND


@pytest.mark.parametrize("row", ROWS)
def test_a_pong_frame_is_a_sign_of_life(row):
    session = client(row)
    for _ in range(20):
        assert session.wait(29) is None
        session.session.alive(session.now)
    assert session.wait(SILENCE[row][1]).code == CloseCode.HEARTBEAT_LOST


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("message", [b"rubbish", {"type": "pong"}, {"type": "nonsense"}])
def test_any_message_is_too(row, message):
    session = client(row)
    for _ in range(20):
        assert session.wait(29) is None
        session.say(message)


def test_two_long_intervals_are_longer_than_90_seconds():
    session = client("botcore", heartbeat=60 * SECOND)
    assert session.wait(500).code == CloseCode.HEARTBEAT_LOST
    assert session.now == 120 * SECOND


def test_cores_clients_that_send_ping_each_30_seconds_give_or_take_live():
    session = client("botcore")
    for second in (30, 57, 90, 118, 150, 175, 210, 235):
        assert session.wait(second - session.now / SECOND) is None
        assert session.say(PING) is None
    assert [kind for kind, _ in session.answers()] == ["pong"] * 8


# ------------------------------------------------------------------------------- rate limit


@pytest.mark.parametrize("row", ROWS)
def test_a_hundred_messages_a_minute(row):
    session = client(row)
    effects = [session.say({"type": "subscribe", "subscriptions": []}) for _ in range(101)]
    assert effects[:100] == [None] * 100
    assert effects[100].code == CloseCode.POLICY
    warnings = [body for kind, body in session.answers() if kind == "rate_limit"]
    assert [(body["used"], body["limit"]) for body in warnings] == [(80, 100)]


@pytest.mark.parametrize("row", ROWS)
def test_what_is_not_known_counts_too(row):
    session = client(row)
    effects = [session.say(b"rubbish" if n % 2 else {"type": "x"}) for n in range(101)]
    assert effects[100].code == CloseCode.POLICY
    assert CloseCode.POLICY not in [getattr(effect, "code", None) for effect in effects[:100]]


@pytest.mark.parametrize("row", CORE)
def test_ping_too_often_is_a_warning_then_the_end(row):
    session = client(row)
    assert session.say(PING) is None
    session.wait(24)
    assert session.say(PING) is None
    session.wait(24)
    assert session.say(PING).code == CloseCode.POLICY
    said = "2 Ping in 30 s; allowed: 1; more than that closes the session"
    answers = [(kind, body.get("message")) for kind, body in session.answers()]
    assert answers == [("pong", None), ("rate_limit", said), ("pong", None)]


# ------------------------------------------------------------------------------- the table


def test_every_row_of_live_sessions_is_tested_here():
    assert set(MANNERS) == set(ROWS)


def test_a_dialect_of_a_third_party_has_the_first_row():
    assert manners("klingon") is MANNERS["trading-api"]
    session = client("klingon")
    assert session.say({"type": "nonsense"}).code == "INVALID_MESSAGE"
    assert session.wait(16) is None
    assert [kind for kind, _ in session.answers()] == ["error", "ping"]


@pytest.mark.parametrize("row", ROWS)
def test_a_dialect_without_words_for_something_says_nothing(row):
    quiet = Envelope(row, "welcome", "connection", "error", "echo", "ack")
    session = Client("", Rules(manners=manners(row)), dialect=quiet, variable=JOB)
    session.say({"type": "nonsense"})
    session.session.drain()
    session.session.upstream(False)
    assert session.answers() == []
