import pytest

from fastrouter.client.options import DEFAULT_URL, resolve


def test_defaults():
    assert resolve(None, None) == (DEFAULT_URL, None)


def test_the_environment_fills_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROXY_WS_URL", "ws://proxy:9000")
    monkeypatch.setenv("SUBSCRIPTIONS", "S:AAPL:quote, C:BTCUSD:candle")
    assert resolve(None, None) == ("ws://proxy:9000", ["S:AAPL:quote", "C:BTCUSD:candle"])


def test_arguments_win(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROXY_WS_URL", "ws://proxy:9000")
    monkeypatch.setenv("SUBSCRIPTIONS", "S:AAPL:quote")
    assert resolve("ws://h", ["C:*:candle", "a:quote,b:quote"]) == (
        "ws://h",
        ["C:*:candle", "a:quote", "b:quote"],
    )


def test_the_url_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUBSCRIPTIONS", "S:AAPL:quote")
    url = "ws://h/?subscriptions=C:*:candle"
    assert resolve(url, None) == (url, ["C:*:candle"])
    assert resolve(url, "x:quote") == (url, ["x:quote"])
