from __future__ import annotations

import json

import pytest

from fastrouter.control.strategies.spec import Spec
from fastrouter.control.strategies.surroundings import Place, environment, subscriptions

PLACE = Place("ws://h:1/", "http://h:2", {"HOME": "/h", "STRATEGY_ID": "ours"})
SPEC = Spec("s", ("x",), "S", ("S:A", "C:B"))


def test_all_of_it():
    config = {"symbols": ["S:A", "C:B"], "realTrading": False}
    assert environment(SPEC, config, PLACE) == {
        "HOME": "/h",
        "STRATEGY_ID": "s",
        "STRATEGY_SYMBOLS": "S:A,C:B",
        "STRATEGY_CONFIG": json.dumps(config),
        "SUBSCRIPTIONS": "S:A:quote,S:A:candle,C:B:quote,C:B:candle",
        "PROXY_WS_URL": "ws://h:1/?strategy_id=s",
        "PROXY_REST_URL": "http://h:2/v1/strategies/s",
        "PYTHONUNBUFFERED": "1",
    }


def test_what_is_configured_wins_and_without_rest_there_is_no_url():
    spec = SPEC._replace(environment={"PROXY_TOKEN": "t", "SUBSCRIPTIONS": "mine"})
    found = environment(spec, {"symbols": []}, PLACE._replace(rest=None), "ours")
    assert (found["PROXY_TOKEN"], found["SUBSCRIPTIONS"]) == ("t", "mine")
    assert "PROXY_REST_URL" not in found


def test_the_token_that_we_issue():
    assert environment(SPEC, {"symbols": []}, PLACE, "ours")["PROXY_TOKEN"] == "ours"


@pytest.mark.parametrize(
    ("configured", "config", "expected"),
    [
        (None, {"symbols": []}, "*:quote,*:candle"),
        (None, {"symbols": [], "dataResolution": "5m"}, "*:quote,*:candle@5m"),
        (None, {"symbols": ["S:X"], "dataResolution": "1s"}, "S:X:quote,S:X:candle@1s"),
        (None, {"symbols": ["A"]}, "A:quote,A:candle,*:A:quote,*:A:candle"),
        ("S:*:quote", {"symbols": ["S:A", "C:B"]}, "S:*:quote"),
        ("S:*:quote", {"symbols": ["S:X"]}, "S:X:quote,S:X:candle"),
        ("S:*:quote", {"symbols": ["S:A", "C:B"], "dataResolution": "5m"},
         "S:A:quote,S:A:candle@5m,C:B:quote,C:B:candle@5m"),
    ],
)  # fmt: skip
def test_subscriptions(configured, config, expected):
    assert subscriptions(SPEC._replace(subscriptions=configured), config) == expected


def test_subscriptions_that_its_environment_says():
    spec = SPEC._replace(subscriptions="S:*:quote", environment={"SUBSCRIPTIONS": "C:*:quote"})
    assert subscriptions(spec, {"symbols": ["S:A", "C:B"]}) == "C:*:quote"
