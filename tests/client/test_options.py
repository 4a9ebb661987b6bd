import pytest

from fastrouter.client.options import DEFAULT_URL, Options, resolve, since_of, token_of
from fastrouter.errors import ConnectionFailed


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


def test_the_environments_token_is_for_the_environments_server(monkeypatch: pytest.MonkeyPatch):
    assert token_of(None, None) is None
    monkeypatch.setenv("PROXY_TOKEN", "secret")
    assert token_of(None, None) == "secret"
    assert token_of(None, "mine") == "mine"
    assert token_of("ws://another", None) is None
    monkeypatch.setenv("PROXY_WS_URL", "ws://own")
    assert token_of("ws://another", None) is None
    assert token_of("ws://own", None) == "secret"


def test_a_token_is_not_shown():
    assert "secret" not in repr(Options(token="secret"))


def test_where_to_resume():
    assert since_of("ws://h", None) is None
    assert since_of("ws://h/?since=evt_5", None) == 5
    assert since_of("ws://h/?since=evt_5", 0) == 0
    with pytest.raises(ConnectionFailed, match="'soon' is no event's id"):
        since_of("ws://h/?since=soon", None)
