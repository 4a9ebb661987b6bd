import pytest

from fastrouter import config


def test_an_upstream_is_a_feed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_FEED__UPSTREAM__TOKEN", "hush")
    feed = config.load(None, {"feed.spec": "wss://h:1/ws"}).settings.feed
    assert feed.name == "wss"
    assert feed.upstream.token is not None
    assert feed.upstream.token.get_secret_value() == "hush"
    assert "hush" not in repr(feed)
