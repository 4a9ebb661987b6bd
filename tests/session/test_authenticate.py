"""Who a session is: nothing before it says so, what its token grants, and until when."""

from __future__ import annotations

import pytest

from fastrouter.errors import CloseCode
from fastrouter.session.auth import Grant, Verifier
from fastrouter.session.effects import Authenticated, Close, Rejected, Resume
from fastrouter.session.entitlement import Entitlement, Pattern
from fastrouter.session.query import Opening
from fastrouter.session.roster import Roster
from fastrouter.session.session import Rules, State

from ..tokens import SECRET, hs256
from .peer import SECOND, START, START_S, Client

ACK = {"type": "event_ack", "correlation_id": "c", "events_processed": ["evt_1"], "timestamp": 1}
RULES = Rules(verifier=Verifier(secret=SECRET))


def grant(*patterns: str, expires: float | None = None) -> Grant:
    entitlement = Entitlement(map(Pattern.parse, patterns)) if patterns else None
    return Grant("ada", ("a1",), entitlement, expires)


def authenticate(**claims) -> dict[str, str]:
    return {"type": "Authenticate", "token": hs256(**claims)}


def test_nothing_but_the_welcome_before_authenticate():
    client = Client(Opening("S:AAPL:quote", since=3), RULES)
    assert client.session.state is State.AUTHENTICATING
    client.publish("S:AAPL")
    assert client.wait(4.9) is None
    assert [m["event"] for m in client.read()] == ["CONNECTED"]
    assert client.say(authenticate(accounts=["a1"])) == Authenticated("ada", Resume(3))
    assert client.outbox.asked == [("allow", ("a1",)), ("hold",), ("subscribe", 1)]
    answer, first = client.read()
    assert list(answer) == ["type", "subject", "accounts", "expires", "timestamp"]
    assert (answer["type"], answer["subject"], answer["expires"]) == ("authenticated", "ada", None)
    assert first["snapshot"] is True


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "pong"}, "NOT_AUTHENTICATED"),
        ({"type": "subscribe", "subscriptions": []}, "NOT_AUTHENTICATED"),
        (ACK, "NOT_AUTHENTICATED"),
        (b"rubbish", "NOT_AUTHENTICATED"),
        ([], "NOT_AUTHENTICATED"),
        ({"type": "Authenticate"}, "NOT_AUTHENTICATED"),
        ({"type": "Authenticate", "token": 5}, "NOT_AUTHENTICATED"),
        ({"type": "Authenticate", "token": "x.y.z"}, "NOT_AUTHENTICATED"),
        (authenticate(exp=START_S - 1), "TOKEN_EXPIRED"),
    ],
)
def test_anything_else_is_an_error_and_the_end(message, code):
    client = Client("S:AAPL:quote", RULES)
    client.publish("S:AAPL")
    effect = client.say(message)
    assert isinstance(effect, Close)
    assert effect.code == CloseCode.NOT_AUTHENTICATED
    welcome, error = client.read()
    assert (welcome["type"], error["type"], error["code"]) == ("connection", "error", code)


def test_binary_first_is_the_end_too():
    effect = Client("", RULES).session.receive_binary(b"{}", 0)
    assert effect.code == CloseCode.NOT_AUTHENTICATED


def test_silence_is_the_end_after_five_seconds():
    client = Client("", RULES)
    effect = client.wait(60)
    assert (effect.code, client.now) == (CloseCode.NOT_AUTHENTICATED, 5 * SECOND)
    assert [m.get("code") for m in client.read()] == [None, "NOT_AUTHENTICATED"]


def test_a_grant_of_the_handshake_is_live_at_once():
    client = Client("S:AAPL:quote", RULES, grant())
    assert client.session.state is State.LIVE
    assert client.outbox.asked[0] == ("allow", ("a1",))
    assert client.say({"type": "subscribe", "subscriptions": ["*:order"]}) is None


def live(client: Client, seconds: float):
    """Let time pass with a client that answers pings."""
    for _ in range(int(seconds)):
        client.say({"type": "pong"})
        effect = client.wait(1)
        if effect is not None:
            return effect
    return None


def test_expiry_ends_a_live_session():
    client = Client("", RULES, grant(expires=START_S + 40.5))
    effect = live(client, 60)
    assert (effect.code, client.now) == (CloseCode.NOT_AUTHENTICATED, int(40.5 * SECOND))
    assert client.read()[-1]["code"] == "TOKEN_EXPIRED"


def test_the_wall_clock_decides_when_it_was_set_back():
    client = Client("", RULES, grant(expires=START_S + 10))
    client.clock.set(START - 5 * SECOND)
    assert live(client, 14) is None
    assert live(client, 2).code == CloseCode.NOT_AUTHENTICATED


def test_a_fresh_token_extends():
    client = Client("", RULES, grant(expires=START_S + 10))
    assert client.say(authenticate(exp=START_S + 30)) == Authenticated("ada", anew=True)
    assert live(client, 29) is None
    assert live(client, 2).code == CloseCode.NOT_AUTHENTICATED


def test_a_shorter_token_shortens():
    client = Client("", RULES, grant(expires=START_S + 1000))
    client.say(authenticate(exp=START_S + 3))
    assert client.session.deadline == 3 * SECOND


def test_another_subject_is_forbidden_and_changes_nothing():
    client = Client("", RULES, grant(expires=START_S + 10))
    effect = client.say(authenticate(sub="eve", exp=START_S + 1000))
    assert effect == Rejected("FORBIDDEN", "the token is of another subject")
    assert client.session.subject == "ada"
    assert live(client, 11).code == CloseCode.NOT_AUTHENTICATED


def test_a_bad_fresh_token_ends_the_session():
    client = Client("", RULES, grant())
    assert client.say({"type": "Authenticate", "token": "x"}).code == CloseCode.NOT_AUTHENTICATED


def test_a_fresh_token_that_grants_less_takes_away():
    client = Client("S:AAPL:quote,C:X:quote", RULES, grant())
    assert client.say(authenticate(subscriptions="S:*:quote", accounts=[])) is not None
    assert client.outbox.asked[-1] == ("allow", ())
    client.publish("C:X")
    client.publish("S:AAPL")
    *_, error, left, quote = client.read()
    assert error["code"] == "FORBIDDEN"
    assert "'C:X:quote'" in error["message"]
    assert left["subscriptions"] == ["S:AAPL:quote"]
    assert quote["quote"]["symbol"] == "S:AAPL"


def test_authenticate_where_nobody_has_to():
    client = Client("")
    client.read()
    assert client.say({"type": "Authenticate", "token": "x"}) is None
    (answer,) = client.read()
    assert (answer["type"], answer["subject"]) == ("authenticated", None)


def test_what_is_not_granted_is_forbidden_and_what_was_held_stays():
    client = Client("S:AAPL:quote", RULES, grant("S:*:quote", "C:*:candle"))
    wanted = ["S:MSFT:quote", "C:BTCUSD:quote"]
    effect = client.say({"type": "subscribe", "subscriptions": wanted})
    assert effect.code == "FORBIDDEN"
    client.publish("S:MSFT")
    client.publish("C:BTCUSD")
    client.publish("S:AAPL")
    _, error, quote = client.read()
    assert "'C:BTCUSD:quote'" in error["message"]
    assert quote["quote"]["symbol"] == "S:AAPL"


def test_a_query_for_what_is_not_granted():
    client = Client("*:quote", RULES, grant("S:*:quote"))
    assert client.opened.code == "FORBIDDEN"
    assert client.session.held == {}


def test_who_names_nothing_gets_the_default_as_far_as_granted():
    client = Client(None, RULES, grant("S:*:quote", "C:BTC*:candle", "*:order"))
    assert list(client.session.held.values()) == ["S:*:quote", "C:BTC*:candle@1m", "*:order"]


# ------------------------------------------------------------------- of a strategy's process


def process(strategy_id: str, verifier: Verifier) -> dict[str, str]:
    """What it says first. Its subject is its id, as a user's may be."""
    grant = Grant(strategy_id, ("a1",), None, strategy_id=strategy_id)
    return {"type": "Authenticate", "token": verifier.issue(grant)}


def test_the_token_of_a_strategys_process_makes_it_that_strategys():
    verifier, roster = Verifier(secret=SECRET), Roster()
    rules = Rules(verifier=verifier, roster=roster)
    roster.paused.add("ma")
    for opening in (Opening("S:AAPL:quote"), Opening("S:AAPL:quote", strategy_id="ma")):
        client = Client(opening, rules)
        assert client.say(process("ma", verifier)) == Authenticated("ma")
        assert (client.session.strategy_id, client.session.holding.paused) == ("ma", True)
        client.publish("S:AAPL")
        assert [one["type"] for one in client.read()] == ["connection", "authenticated"]
        client.session.holding.unpause()
        assert client.read()[0]["snapshot"] is True


def test_and_not_another_strategys():
    verifier = Verifier(secret=SECRET)
    client = Client(Opening("", strategy_id="other"), Rules(verifier=verifier))
    effect = client.say(process("ma", verifier))
    assert effect.code == CloseCode.NOT_AUTHENTICATED
    assert client.read()[-1]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("said", [None, "ma", "other"])
def test_a_fresh_token_that_is_a_process_s(said):
    verifier, roster = Verifier(secret=SECRET), Roster()
    roster.paused.add("ma")
    rules = Rules(verifier=verifier, roster=roster)
    client = Client(Opening("", strategy_id=said), rules, Grant("ma", ("a1",), None))
    effect = client.say(process("ma", verifier))
    if said == "other":
        assert effect.code == CloseCode.NOT_AUTHENTICATED
    else:
        assert effect == Authenticated("ma", anew=True)
        assert (client.session.strategy_id, client.session.holding.paused) == ("ma", True)
