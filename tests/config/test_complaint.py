import math

import pytest

from fastrouter import config
from fastrouter.errors import ConfigError


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("server.port", 99999, "less than or equal to 65535; allowed: 0 (any free port) to 65535"),
        ("server.port", "x", "valid integer"),
        ("server.paths", ["ws"], "'ws' is no path"),
        ("server.paths", [], "allowed: paths that begin with /"),
        ("server.dialect", "morse", "not registered; allowed: trading-api"),
        ("server.decimals", "roman", '"string" or "number"'),
        ("server.default_timeframe", "7m", "allowed: 1s, 5s"),
        ("server.heartbeat_seconds", 0, "greater than 0"),
        ("server.heartbeat_seconds", math.inf, "finite"),
        ("server.outbox_bytes", 1, "4096"),
        ("server.key", "a.key", "a key needs server.cert"),
        ("server.stale_seconds", -1, "0 is never"),
        ("feed.retry_seconds", 61, "to 60 seconds"),
        ("journal.max_bytes", 1000, "1048576 bytes or more"),
        ("journal.max_age_seconds", 0, "seconds above 0"),
        ("control.port", 65536, "0 (any free port) to 65535"),
        ("server.nope", 1, "no such setting; allowed: host, port"),
        ("nope", 1, "no such setting; allowed: server, ports, auth, limits, feed, bus"),
        ("feed.synthetic.symbols", 0, "how many, from 1"),
        ("feed.synthetic.rate", -1, 'above 0, or "max"'),
        ("feed.replay.columns", "time", "every item needs a ="),
        ("feed.spec", "carrier-pigeon:x", "no such feed; there are synthetic, replay"),
        ("log.level", "loud", "debug, info, warning or error"),
        ("server.allowed_origins", ["desk"], "origin 'desk'; allowed: scheme://host"),
        ("server.trusted_proxies", ["10.0.0.1/8"], "host bits set; allowed: addresses"),
        ("auth.algorithms", ["none"], "'none' is not taken; allowed: HS256, RS256"),
        ("auth.leeway_seconds", -1, "0 to 600 seconds"),
        (
            "limits.messages_per_minute",
            {"morse": 1},
            "no dialect 'morse'; allowed: alpaca",
        ),
        ("limits.messages_per_minute", -1, "0 is no limit"),
        ("limits.connections", -1, "0 is no limit"),
        ("limits.header_bytes", 1 << 20, "256 to 16384"),
    ],
)
def test_what_cannot_be_is_named_with_key_origin_and_what_is_allowed(
    key: str, value: object, said: str
):
    with pytest.raises(ConfigError) as caught:
        config.load(None, {key: value})
    message = str(caught.value)
    assert message.startswith(f"{key} = ")
    assert "(command line)" in message
    assert said in message
    assert "\n" not in message


def test_a_malformed_subscription_names_the_item_and_the_rule(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUBSCRIPTIONS", "S:AAPL:quote,S:AAPL:tick")
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert "environment SUBSCRIPTIONS" in str(caught.value)
    assert "'S:AAPL:tick'" in str(caught.value)
    assert "event type must be one of quote, candle" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("auth.secret", "hush hush"),
        ("auth.secret", ["hush hush"]),
        ("auth.secrets", "hush hush"),
        ("auth", "hush hush"),
        ("auth.key_id", ["hush hush"]),
        ("aut", {"secret": "hush hush"}),
        ("server.secret", "hush hush"),
    ],
)
def test_an_error_never_holds_a_secret(key: str, value: object):
    with pytest.raises(ConfigError) as caught:
        config.load(None, {key: value})
    assert str(caught.value).startswith(f"{key}")
    assert "hush" not in str(caught.value)


def test_a_secret_is_not_shown_in_an_error():
    with pytest.raises(ConfigError) as caught:
        config.load(None, {"feed.upstream.token": 12345, "feed.upstream.conflate": 6})
    assert "feed.upstream.token = *** (command line)" in str(caught.value)
    assert "feed.upstream.conflate = 6 (command line)" in str(caught.value)
    assert "12345" not in str(caught.value)
