"""What a strategy's session gets that names nothing."""

from __future__ import annotations

import pytest

from fastrouter.session.auth import Grant, Verifier
from fastrouter.session.entitlement import Entitlement, Pattern
from fastrouter.session.query import Opening
from fastrouter.session.roster import Roster
from fastrouter.session.session import Rules
from fastrouter.session.subscriptions import parse

from ..tokens import SECRET
from .peer import Client

WANTED = {"ma": "S:*:quote,S:A:candle@5m", "odd": "nonsense", "still": ""}


def rules(**more) -> Rules:
    roster = Roster()
    roster.subscriptions = WANTED.get
    default = tuple(parse("*:signal"))
    return Rules(roster=roster, of_strategies=True, subscriptions=default, **more)


def held(client: Client) -> list[str]:
    return client.session.holding.names


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        (Opening(strategy_id="ma"), ["S:*:quote", "S:A:candle@5m"]),
        (Opening(strategy_id="unknown"), ["*:signal"]),
        (Opening(), ["*:signal"]),
        (Opening("C:*:quote", strategy_id="ma"), ["C:*:quote"]),
        (Opening("", strategy_id="ma"), []),
        (Opening(strategy_id="still"), []),
    ],
)
def test_its_own_unless_it_names_some(opening, expected):
    assert held(Client(opening, rules())) == expected


def test_by_the_token_of_its_process():
    verifier = Verifier(secret=SECRET)
    grant = Grant("ma", ("a1",), None, strategy_id="ma")
    client = Client(None, rules(verifier=verifier))
    assert held(client) == []
    client.say({"type": "Authenticate", "token": verifier.issue(grant)})
    assert held(client) == ["S:*:quote", "S:A:candle@5m"]
    assert held(Client(None, rules(verifier=verifier), grant)) == held(client)


def test_as_far_as_a_users_token_grants_them():
    grant = Grant("ada", ("a1",), Entitlement([Pattern.parse("S:A:quote")]))
    client = Client(Opening(strategy_id="ma"), rules(verifier=Verifier(secret=SECRET)), grant)
    assert held(client) == ["S:A:quote"]


def test_one_that_cannot_be_is_told():
    client = Client(Opening(strategy_id="odd"), rules())
    assert [one["type"] for one in client.read()] == ["connection", "error"]


def test_not_on_a_path_for_something_else():
    found = rules()._replace(of_strategies=False)
    assert held(Client(Opening(strategy_id="ma"), found)) == ["*:signal"]
