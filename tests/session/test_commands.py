"""ORCH's commands: what they may say, who may give them, and what the first one changes."""

from __future__ import annotations

from typing import Any

import pytest

from fastrouter.core.event import Event
from fastrouter.errors import MessageError
from fastrouter.session.auth import Grant, Verifier
from fastrouter.session.commands import COMMANDS, CONFIG
from fastrouter.session.effects import Command, Rejected
from fastrouter.session.entitlement import Entitlement, Pattern
from fastrouter.session.manners import manners
from fastrouter.session.session import Rules
from fastrouter.session.subscriptions import parse

from ..tokens import SECRET, hs256
from .peer import Client, Envelope

ORCHESTRATOR = Envelope("orchestrator")


def trading(opening: str | None = "", grant: Grant | None = None, **rules: Any) -> Client:
    """A session of trading-api whose commands are answered by an orchestrator."""
    made = Client(
        opening,
        Rules(orchestrator=ORCHESTRATOR, **rules),
        grant,
        dialect=Envelope("trading-api"),
    )
    made.answers()
    return made


def orchestrated(opening: str | None = "", orchestrator: Envelope | None = ORCHESTRATOR) -> Client:
    rules = Rules(manners=manners("orchestrator"), orchestrator=orchestrator)
    made = Client(opening, rules, dialect=ORCHESTRATOR)
    made.answers()
    return made


def grant(*patterns: str, **claims: bool) -> Grant:
    entitlement = Entitlement(map(Pattern.parse, patterns)) if patterns else None
    return Grant("ada", ("default",), entitlement, **claims)


def publish(client: Client, *kinds: str) -> list[tuple[str, str]]:
    """(envelope, kind) of what came of one event of each kind."""
    for kind in kinds:
        client.router.publish(Event(kind, {"n": 1}, symbol="S:A"))
    return [(message["in"], message["kind"]) for message in client.read()]


START = {"type": "start_strategy", "id": "s-1"}
LIST = {"type": "get_active_strategies"}


# ----------------------------------------------------------------------------- fields

WRONG = [
    ({"symbols": []}, "config.symbols is empty; allowed: an array of one or more symbols"),
    ({"symbols": "AAPL"}, "config.symbols is 'AAPL'; allowed: an array"),
    ({"symbols": ["AAPL", 5]}, "config.symbols is an array; allowed"),
    ({"symbols": ["A B"]}, "config.symbols"),
    ({"symbols": ["*"]}, "config.symbols"),
    ({"symbols": None}, "config.symbols is None"),
    ({"dataResolution": "7m"}, "config.dataResolution is '7m'; allowed: one of 1s, "),
    ({"dataResolution": 60}, "config.dataResolution is 60"),
    ({"dataResolution": ["1m"]}, "config.dataResolution is an array"),
    ({"realTrading": "no"}, "config.realTrading is 'no'; allowed: true or false"),
    ({"realTrading": 0}, "config.realTrading is 0; allowed: true or false"),
    ({"maxPositionValue": 0}, "config.maxPositionValue is 0; allowed: a number above 0"),
    ({"maxPositionValue": -1.5}, "config.maxPositionValue is -1.5"),
    ({"maxPositionValue": "10000"}, "config.maxPositionValue is '10000'"),
    ({"maxPositionValue": True}, "config.maxPositionValue is True"),
    ({"maxOrdersPerMinute": 0}, "config.maxOrdersPerMinute is 0; allowed: a whole number from 1"),
    ({"maxOrdersPerMinute": 2.5}, "config.maxOrdersPerMinute is 2.5"),
    ({"maxOrdersPerMinute": True}, "config.maxOrdersPerMinute is True"),
    ({"stopLossPercentage": 2}, "config.stopLossPercentage is 2; allowed: a number above 0, at"),
    ({"stopLossPercentage": 0}, "config.stopLossPercentage is 0"),
    ({"stopLossPercentage": {}}, "config.stopLossPercentage is an object"),
    ({"maxPositonValue": 5}, "config.maxPositonValue is not known; allowed: symbols, dataRes"),
    ({"x" * 5000: 5}, "is not known; allowed"),
    ({"symbols": "x" * 5000}, "config.symbols is 'xxx"),
    ([], "'config' is an array; it must be an object"),
    (None, "'config' is null"),
    ("{}", "'config' is a string"),
]


@pytest.mark.parametrize(("config", "reason"), WRONG)
def test_a_wrong_field_of_config_is_named_with_what_is_allowed(config, reason):
    client = trading()
    effect = client.say({**START, "config": config})
    (message,) = client.read()
    assert (message["in"], message["kind"]) == ("orchestrator", "error")
    assert message["body"]["code"] == "INVALID_MESSAGE"
    assert message["body"]["message"].startswith("start_strategy: ")
    assert reason in message["body"]["message"]
    assert len(message["body"]["message"]) < 400
    assert effect == Rejected("INVALID_MESSAGE", message["body"]["message"])


@pytest.mark.parametrize("name", [None, 5, [], "", "a b", "a,b", "*", "x" * 129, "a\u0000"])
@pytest.mark.parametrize("kind", ["start_strategy", "stop_strategy", "pause_strategy"])
def test_an_id_is_a_name(kind, name):
    client = trading()
    assert client.say({"type": kind, "id": name}).code == "INVALID_MESSAGE"
    assert client.say({"type": kind}).code == "INVALID_MESSAGE"
    assert publish(client, "strategy") == [("orchestrator", "error")] * 2


def test_what_a_wrong_command_says_changes_nothing():
    client = trading("*:signal")
    client.say({"type": "start_strategy"})
    assert publish(client, "signal", "strategy")[1:] == [("trading-api", "signal")]


@pytest.mark.parametrize("config", [{}, {"realTrading": True}, {"maxPositionValue": 0.5}])
def test_every_field_of_config_may_be_missing(config):
    assert trading().say({**START, "config": config}) == Command(
        "start_strategy", {"id": "s-1", "config": config}
    )
    assert trading().say(START) == Command("start_strategy", {"id": "s-1", "config": {}})


def test_other_fields_are_passed_over():
    assert trading().say({**LIST, "id": 5, "x": None}) == Command("get_active_strategies", {})


def test_config_is_what_orch_shows():
    assert list(CONFIG) == [
        "symbols",
        "dataResolution",
        "realTrading",
        "maxPositionValue",
        "maxOrdersPerMinute",
        "stopLossPercentage",
    ]


# ------------------------------------------------------------------------------- who may


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize(
    ("claims", "may"), [({}, False), ({"strategies": True}, True), ({"admin": True}, True)]
)
def test_who_may_act_has_the_claim(kind, claims, may):
    client = trading("", grant(**claims))
    effect = client.say({"type": kind, "id": "s"})
    if may or kind.startswith("get_"):
        assert isinstance(effect, Command)
    else:
        assert effect == Rejected(
            "FORBIDDEN", f"{kind} needs a token with the claim 'strategies' or 'admin'"
        )
        assert publish(client, "strategy") == [("orchestrator", "error")]


# ---------------------------------------------------------- what the first command changes


def test_strategies_signals_trades_and_risk_move_to_the_orchestrators_envelope():
    client = trading("*:signal,S:*:trade,*:order,*:risk")
    kinds = ("signal", "trade", "order", "risk", "strategy")
    assert publish(client, *kinds) == [("trading-api", kind) for kind in kinds[:4]]
    client.say(LIST)
    assert publish(client, *kinds) == [
        ("orchestrator", "signal"),
        ("orchestrator", "trade"),
        ("trading-api", "order"),
        ("orchestrator", "risk"),
        ("orchestrator", "strategy"),
    ]


def test_what_is_subscribed_to_later_moves_too():
    client = trading()
    client.say(LIST)
    wanted = ["*:signal", "*:order", "S:A:quote"]
    client.say({"type": "subscribe", "subscriptions": wanted})
    (answer,) = client.read()
    assert answer == {
        "in": "trading-api",
        "kind": "subscribed",
        "body": {"subscriptions": ["*:strategy", *wanted]},
    }
    assert publish(client, "signal", "order") == [
        ("orchestrator", "signal"),
        ("trading-api", "order"),
    ]
    client.say({"type": "unsubscribe", "subscriptions": ["*:signal", "*:strategy", "*:order"]})
    assert publish(client, "signal", "strategy", "order") == [("trading-api", "unsubscribed")]


def test_only_the_first_command_subscribes():
    client = trading()
    client.say(LIST)
    client.say({"type": "unsubscribe", "subscriptions": ["*:strategy"]})
    client.say(LIST)
    assert list(client.session.held) == []


def test_the_risk_status_is_no_reason_to_hear_of_strategies():
    for client in (trading("*:risk"), orchestrated("*:risk")):
        client.say({"type": "get_risk_status"})
        assert publish(client, "strategy", "risk") == [("orchestrator", "risk")]
        client.say(LIST)
        assert publish(client, "strategy") == [("orchestrator", "strategy")]


def test_who_may_not_hear_of_strategies_does_not():
    client = trading(None, grant("*:signal"))
    assert isinstance(client.say(LIST), Command)
    assert list(client.session.held.values()) == ["*:signal"]


def test_a_fresh_token_takes_away_what_has_moved():
    client = trading(None, grant(), verifier=Verifier(secret=SECRET))
    client.say(LIST)
    client.say({"type": "Authenticate", "token": hs256(subscriptions="*:order")})
    assert list(client.session.held.values()) == ["*:order"]
    client.answers()
    assert publish(client, "signal", "strategy", "trade", "order") == [("trading-api", "order")]


def test_it_may_have_one_more_subscription_than_its_limit():
    client = trading("*:order", max_subscriptions=1)
    assert isinstance(client.say(LIST), Command)
    assert list(client.session.held.values()) == ["*:order", "*:strategy"]


def test_a_client_of_orch_answers_no_ping_message_so_frames_do_too():
    client = trading()
    client.say(LIST)
    client.outbox.asked.clear()
    for _ in range(5):
        assert client.wait(15) is None
        client.session.alive(client.now)
    assert [kind for kind, _ in client.answers()] == ["ping"] * 5
    assert client.outbox.asked == [("frame", 9, b"")] * 5


@pytest.mark.parametrize("orchestrator", [None, ORCHESTRATOR, Envelope("orchestrator")])
def test_an_orchestrators_session_has_its_own_envelope(orchestrator):
    client = orchestrated("*:signal", orchestrator)
    assert client.say(START) == Command("start_strategy", {"id": "s-1", "config": {}})
    assert publish(client, "signal", "strategy") == [
        ("orchestrator", "signal"),
        ("orchestrator", "strategy"),
    ]
    client.session.answer("strategy_started", {"strategyId": "s-1"})
    assert client.answers() == [("strategy_started", {"strategyId": "s-1"})]
    assert not client.session.holding.moved


def test_where_nobody_has_an_orchestrator_the_own_envelope_will_do():
    client = Client("*:signal", dialect=Envelope("trading-api"))
    client.say(LIST)
    client.answers()
    assert publish(client, "signal", "strategy") == [
        ("trading-api", "signal"),
        ("trading-api", "strategy"),
    ]


# -------------------------------------------------------------------------------- answers


def test_answers_come_in_the_orchestrators_envelope():
    client = trading()
    client.session.answer("strategy_status_list", [])
    client.session.refuse(MessageError("nope", code="UNKNOWN_STRATEGY"))
    client.session.reject(MessageError("nope"))
    assert client.read() == [
        {"in": "orchestrator", "kind": "strategy_status_list", "body": []},
        {
            "in": "orchestrator",
            "kind": "error",
            "body": {"code": "UNKNOWN_STRATEGY", "message": "nope"},
        },
        {
            "in": "trading-api",
            "kind": "error",
            "body": {"code": "INVALID_MESSAGE", "message": "nope"},
        },
    ]


def test_an_answer_to_who_has_gone_is_nothing():
    client = trading()
    client.outbox.close()
    client.session.answer("strategy_status_list", [])
    client.session.refuse(MessageError("nope"))
    client.session.send("ping")
    assert client.read() == []


# ------------------------------------------- what the own envelope has no words for


class Wordless(Envelope):
    wordless = ("strategy", "job", "risk")

    def encode(self, event):
        return None if event.kind in self.wordless else super().encode(event)


def wordless(opening, **rules):
    rules = Rules(orchestrator=ORCHESTRATOR, **rules)
    made = Client(opening, rules, dialect=Wordless("trading-api"))
    made.answers()
    return made


def test_strategies_and_risk_that_are_asked_for_come_in_the_orchestrators_envelope():
    kinds = ("risk", "signal", "strategy", "trade", "job")
    client = wordless("*:risk,*:signal,*:trade,*:job")
    assert publish(client, *kinds) == [
        ("orchestrator", "risk"),
        ("trading-api", "signal"),
        ("trading-api", "trade"),
    ]
    client.say({"type": "subscribe", "subscriptions": ["S:*:strategy"]})
    assert publish(client, *kinds) == [
        ("trading-api", "subscribed"),
        ("orchestrator", "risk"),
        ("trading-api", "signal"),
        ("orchestrator", "strategy"),
        ("trading-api", "trade"),
    ]
    client.say({"type": "unsubscribe", "subscriptions": ["*:risk"]})
    assert publish(client, "risk") == [("trading-api", "unsubscribed")]
    client.say(LIST)
    assert publish(client, *kinds) == [
        ("orchestrator", "signal"),
        ("orchestrator", "strategy"),
        ("orchestrator", "trade"),
    ]


def test_the_default_asks_for_nothing():
    client = wordless(None, subscriptions=parse("*:risk,*:signal"))
    assert publish(client, "risk", "signal") == [("trading-api", "signal")]
    assert not client.session.holding.moved
