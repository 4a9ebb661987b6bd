from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.app import feeds
from fastrouter.errors import ConfigError


@pytest.mark.parametrize(
    ("overrides", "spec", "options"),
    [
        (
            {"feed.synthetic.rate": "max", "feed.synthetic.symbols": 5},
            "synthetic",
            {"symbols": 5, "rate": None, "seed": 1},
        ),
        (
            {"feed.spec": "replay:a.csv", "feed.replay.symbol": "C:EURUSD", "feed.replay.speed": 9},
            "replay:a.csv",
            {"symbol": "C:EURUSD", "speed": 9, "kind": None, "columns": None, "loop": False},
        ),
        (
            {"feed.spec": "replay", "feed.replay.file": "b.csv", "feed.replay.columns": "time=0"},
            "replay:b.csv",
            {"columns": {"time": 0}, "speed": 1.0, "strict": False, "timeframe": None},
        ),
        (
            {
                "feed.spec": "wss://h/ws",
                "feed.upstream.token": "t",
                "feed.upstream.cafile": "a.pem",
            },
            "wss://h/ws",
            {"token": "t", "cafile": Path("a.pem"), "subscriptions": None, "conflate": None},
        ),
        (
            {
                "feed.spec": "ws://h",
                "feed.upstream.idle_seconds": 6,
                "feed.upstream.reconnect_seconds": 0.5,
            },
            "ws://h",
            {"idle": 6.0, "backoff": (0.5, 10.0)},
        ),
        (
            {"feed.spec": "nng:tcp://h:1", "feed.nng.topics": "job.*"},
            "nng:tcp://h:1",
            {"topics": ("job.*",)},
        ),
    ],
)
def test_feeds_are_opened_with_their_settings(
    overrides: dict, spec: str, options: dict, monkeypatch: pytest.MonkeyPatch
):
    opened = []
    monkeypatch.setattr(feeds, "open_feed", lambda *args, **kwargs: opened.append((args, kwargs)))
    feeds.feed_of(config.load(None, overrides).settings.feed)
    ((args, kwargs),) = opened
    assert args == (spec,)
    assert options.items() <= kwargs.items()


def test_a_replay_of_nothing():
    with pytest.raises(ConfigError, match="names no file"):
        feeds.feed_of(config.load(None, {"feed.spec": "replay"}).settings.feed)
