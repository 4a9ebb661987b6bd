import pytest

from fastrouter import config
from fastrouter.errors import ConfigError


def test_an_upstream_is_a_feed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_FEED__UPSTREAM__TOKEN", "hush")
    feed = config.load(None, {"feed.spec": "wss://h:1/ws"}).settings.feed
    assert feed.name == "wss"
    assert feed.upstream.token is not None
    assert feed.upstream.token.get_secret_value() == "hush"
    assert "hush" not in repr(feed)


def test_the_longest_wait_is_the_longest():
    waits = {"feed.upstream.reconnect_seconds": 5, "feed.upstream.reconnect_longest_seconds": 4}
    with pytest.raises(ConfigError, match="is below feed"):
        config.load(None, waits)


def test_candles_of_a_chart_are_built_by_default():
    feed = config.load(None, {}).settings.feed
    assert feed.candles == ("1s", "1m", "5m", "15m", "1h", "4h", "1d")
    assert feed.price == "last"


def test_other_candles_of_another_price():
    feed = config.load(None, {"feed.candles": "3m,1s", "feed.price": "mid"}).settings.feed
    assert (feed.candles, feed.price) == (("3m", "1s"), "mid")
    assert config.load(None, {"feed.candles": ""}).settings.feed.candles == ()


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("feed.candles", "1s,2m", "'2m' is not known; allowed: 1s"),
        ("feed.candles", "1s,1m,1s", "a timeframe is named twice"),
        ("feed.price", "bid", r'feed\.price.*"last" or "mid"'),
    ],
)
def test_candles_that_cannot_be(setting: str, value: str, why: str):
    with pytest.raises(ConfigError, match=why):
        config.load(None, {setting: value})
