"""What Alpaca's clients say to its stream, and what they are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastrouter.dialects import load
from fastrouter.errors import CloseCode
from fastrouter.session.auth import Verifier
from fastrouter.session.effects import Authenticated, Close, Rejected
from fastrouter.session.manners import manners
from fastrouter.session.session import Rules

from ..tokens import SECRET, hs256
from .peer import Client

VERIFIER = Verifier(secret=SECRET)
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}
AUTHORIZED = {
    "stream": "authorization",
    "data": {"action": "authenticate", "status": "authorized"},
}
ORDER = {"id": "o-1", "symbol": "S:AAPL", "account_id": "paper"}


def client(verifier: Verifier | None = None) -> Client:
    """A session that has just opened; nothing was said to it."""
    found = Client(
        None, Rules(manners=manners("alpaca"), verifier=verifier), dialect=load("alpaca")
    )
    assert found.read() == []
    return found


def authenticate(secret: Any) -> dict[str, Any]:
    return {"action": "authenticate", "data": {"key_id": "key", "secret_key": secret}}


def listening(session: Client) -> list[str]:
    (message,) = session.read()
    assert message["stream"] == "listening"
    streams: list[str] = message["data"]["streams"]
    return streams


def updates(session: Client) -> list[str]:
    """The orders of the updates that one published order brings."""
    session.router.publish("order", ORDER)
    return [message["data"]["order"]["id"] for message in session.read()]


@pytest.mark.parametrize(
    "message",
    [
        authenticate("secret"),
        authenticate(None),
        {"action": "authenticate"},
        {"action": "auth", "key": "key", "secret": "secret"},
    ],
)
def test_with_auth_off_anything_authenticates(message):
    session = client()
    assert session.say(message) is None
    assert session.read() == [AUTHORIZED]
    assert session.say(LISTEN) is None
    assert listening(session) == ["trade_updates"]
    assert updates(session) == ["o-1"]


@pytest.mark.parametrize("form", ["authenticate", "auth"])
def test_the_secret_is_the_token(form):
    token = hs256(accounts=["paper"])
    message = authenticate(token)
    if form == "auth":
        message = {"action": "auth", "key": "key", "secret": token}
    session = client(VERIFIER)
    assert session.say(message) == Authenticated("ada")
    assert session.read() == [AUTHORIZED]
    assert session.session.state.name == "LIVE"
    assert ("allow", ("paper",)) in session.outbox.asked
    assert session.say(message) == Authenticated("ada", anew=True)
    assert session.read() == [AUTHORIZED]
    other = session.say(authenticate(hs256(sub="bob")))
    assert other == Rejected("FORBIDDEN", "the token is of another subject")


@pytest.mark.parametrize(
    "message",
    [
        authenticate("no token"),
        authenticate(5),
        authenticate(hs256(exp=5)),
        {"action": "authenticate"},
        {"action": "authenticate", "data": []},
        {"action": "auth", "key": "key"},
        LISTEN,
        {"type": "pong"},
    ],
)
def test_who_does_not_prove_it_is_shut_out(message):
    session = client(VERIFIER)
    effect = session.say(message)
    assert isinstance(effect, Close)
    assert effect.code == CloseCode.NOT_AUTHENTICATED
    (answer,) = session.read()
    assert answer["stream"] == "authorization"
    assert answer["data"]["status"] == "unauthorized"
    assert answer["data"]["message"] == effect.reason


def test_nothing_comes_before_listen_nor_after_it_names_nothing():
    session = client()
    assert updates(session) == []
    for streams, there in (
        (["trade_updates", "account_updates"], ["trade_updates"]),
        (["trade_updates"], ["trade_updates"]),
        (["account_updates"], []),
        ([], []),
        (["trade_updates"], ["trade_updates"]),
    ):
        assert session.say({"action": "listen", "data": {"streams": streams}}) is None
        assert listening(session) == there
        assert updates(session) == ["o-1"] * len(there)


def test_what_a_token_does_not_grant_is_not_listened_to():
    session = client(VERIFIER)
    session.say(authenticate(hs256(subscriptions=["*:quote"])))
    session.read()
    assert session.say(LISTEN) is None
    assert listening(session) == []
    session = client(VERIFIER)
    session.say(authenticate(hs256(subscriptions=["S:MSFT:order"])))
    session.read()
    assert session.say(LISTEN) is None
    assert listening(session) == ["trade_updates"]
    assert session.session.held == {("S:MSFT", "order"): "S:MSFT:order"}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"action": "listen"}, "listen: 'data.streams' must be an array of strings"),
        ({"action": "listen", "data": []}, "listen: 'data.streams' must be"),
        ({"action": "listen", "data": {"streams": "trade_updates"}}, "must be an array"),
        ({"action": "listen", "data": {"streams": [1]}}, "must be an array of strings"),
        ({"action": "dance"}, "action 'dance' is not known; allowed: authenticate, auth, listen"),
        ({"action": 5}, "action a number is not known"),
        ({"action": ["listen"]}, "action an array is not known"),
        ({}, "message has no 'action'; allowed: authenticate, auth, listen"),
        ({"hello": 1}, "message has no 'action'"),
        ({"action": None}, "action null is not known"),
        ([], "message is an array"),
        (b"{", "not JSON"),
    ],
)
def test_bad_messages(message, said):
    session = client()
    effect = session.say(message)
    (answer,) = session.read()
    assert answer == {
        "stream": "error",
        "data": {"code": "INVALID_MESSAGE", "message": effect.reason},
    }
    assert said in effect.reason
    assert json.dumps(answer)
    assert session.say(LISTEN) is None


def test_it_is_not_told_of_beats_and_drains():
    session = client()
    session.session.drain()
    session.session.upstream(False)
    assert session.wait(20) is None
    assert session.read() == []
