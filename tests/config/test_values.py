import math
from pathlib import Path

import pytest

from fastrouter import config


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("FASTROUTER_SERVER__PATHS", "/a, /b,/a", "server.paths", ("/a", "/b")),
        ("FASTROUTER_FEED__SYNTHETIC__RATE", "max", "feed.synthetic.rate", math.inf),
        ("FASTROUTER_FEED__SYNTHETIC__RATE", "2.5", "feed.synthetic.rate", 2.5),
        ("FASTROUTER_FEED__SYNTHETIC__SYMBOLS", "S:A,S:B", "feed.synthetic.symbols",
         ("S:A", "S:B")),
        ("FASTROUTER_FEED__REPLAY__LOOP", "true", "feed.replay.loop", True),
        ("FASTROUTER_FEED__REPLAY__SPEED", "max", "feed.replay.speed", math.inf),
        ("FASTROUTER_FEED__REPLAY__FILE", "ticks.csv", "feed.replay.file", Path("ticks.csv")),
        ("FASTROUTER_FEED__REPLAY__COLUMNS", "time=0, bid=Bid", "feed.replay.columns",
         {"time": 0, "bid": "Bid"}),
        ("FASTROUTER_LOG__FORMAT", "json", "log.format", "json"),
        ("FASTROUTER_SERVER__ALLOWED_ORIGINS", "https://A.b, *", "server.allowed_origins",
         ("https://a.b", "*")),
        ("FASTROUTER_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,::1", "server.trusted_proxies",
         ("10.0.0.0/8", "::1/128")),
        ("FASTROUTER_AUTH__ALGORITHMS", "HS256,RS256", "auth.algorithms", ("HS256", "RS256")),
        ("FASTROUTER_LIMITS__MESSAGES_PER_MINUTE", "7", "limits.messages_per_minute", 7),
        ("FASTROUTER_LIMITS__MESSAGES_PER_MINUTE", "trading-api=0, botcore=5",
         "limits.messages_per_minute", {"trading-api": 0, "botcore": 5}),
    ],
)  # fmt: skip
def test_text_becomes_values(
    variable: str, text: str, key: str, value: object, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(variable, text)
    found: object = config.load().settings
    for name in key.split("."):
        found = getattr(found, name)
    assert found == value
