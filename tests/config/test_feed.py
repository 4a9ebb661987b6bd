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
