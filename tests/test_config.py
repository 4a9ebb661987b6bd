import math
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from fastrouter import config
from fastrouter.config_toml import render
from fastrouter.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fastrouter.toml"


def test_defaults(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("FASTROUTER_CONTROL__PORT")
    effective = config.load()
    server, feed, log = (effective.settings.server, effective.settings.feed, effective.settings.log)
    assert (server.host, server.port, server.paths) == ("127.0.0.1", 8082, ("/", "/ws"))
    assert (server.dialect, server.decimals) == ("trading-api", "string")
    assert (server.heartbeat_seconds, server.grace_seconds) == (15, 10)
    assert (server.outbox_bytes, server.max_message_bytes) == (1 << 20, 64 << 10)
    assert server.subscriptions is None
    assert (feed.spec, feed.synthetic.rate, feed.replay.speed) == ("synthetic", 1000, 1)
    assert (server.cert, server.key, server.stale_seconds) == (None, None, 60)
    assert feed.retry_seconds == 0
    control = effective.settings.control
    assert (control.enabled, control.host, control.port) == (True, "127.0.0.1", 9082)
    assert (log.level, log.format) == ("info", "console")
    assert effective.origin("server.port") == "default"


def test_each_source_wins_over_the_one_before(file: Path, monkeypatch: pytest.MonkeyPatch):
    file.write_text('[server]\nport = 1\nhost = "file"\n[feed.synthetic]\nseed = 4\n')
    monkeypatch.setenv("FASTROUTER_SERVER__PORT", "2")
    monkeypatch.setenv("FASTROUTER_FEED__SYNTHETIC__SYMBOLS", "7")
    effective = config.load(file, {"server.port": 3, "server.dialect": None})
    settings = effective.settings
    assert (settings.server.port, settings.server.host) == (3, "file")
    assert (settings.feed.synthetic.seed, settings.feed.synthetic.symbols) == (4, 7)
    assert effective.origin("server.port") == "command line"
    assert effective.origin("server.host") == f"file {file}"
    assert (
        effective.origin("feed.synthetic.symbols")
        == "environment FASTROUTER_FEED__SYNTHETIC__SYMBOLS"
    )
    assert effective.origin("server.dialect") == "default"


def test_the_file_can_come_from_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch):
    file.write_text("server.port = 77\n")
    monkeypatch.setenv("FASTROUTER_CONFIG", str(file))
    assert config.load().settings.server.port == 77


def test_subscriptions_by_their_own_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUBSCRIPTIONS", "S:AAPL:candle,S:AAPL:quote,C:BTCUSD:candle@5m")
    effective = config.load()
    assert effective.settings.server.subscriptions == os.environ["SUBSCRIPTIONS"]
    assert effective.origin("server.subscriptions") == "environment SUBSCRIPTIONS"
    monkeypatch.setenv("FASTROUTER_SERVER__SUBSCRIPTIONS", "S:MSFT:quote")
    assert config.load().settings.server.subscriptions == "S:MSFT:quote"


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
        ("nope", 1, "no such setting; allowed: server, auth, limits, feed, journal, control, log"),
        ("feed.synthetic.symbols", 0, "how many, from 1"),
        ("feed.synthetic.rate", -1, 'above 0, or "max"'),
        ("feed.replay.columns", "time", "every item needs a ="),
        ("feed.spec", "carrier-pigeon:x", "no such feed; there are synthetic, replay"),
        ("log.level", "loud", "debug, info, warning or error"),
        ("server.allowed_origins", ["desk"], "origin 'desk'; allowed: scheme://host"),
        ("server.trusted_proxies", ["10.0.0.1/8"], "host bits set; allowed: addresses"),
        ("auth.algorithms", ["none"], "'none' is not taken; allowed: HS256, RS256"),
        ("auth.leeway_seconds", -1, "0 to 600 seconds"),
        ("limits.messages_per_minute", {"morse": 1}, "no dialect 'morse'; allowed: botcore"),
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


def test_everything_wrong_is_listed_at_once(file: Path, monkeypatch: pytest.MonkeyPatch):
    file.write_text('[log]\nformat = "xml"\n[feed]\nsynthetic = 3\n')
    monkeypatch.setenv("FASTROUTER_SERVER__PORT", "-1")
    with pytest.raises(ConfigError) as caught:
        config.load(file, {"server.dialect": "morse"})
    lines = str(caught.value).splitlines()
    assert {line.split(" = ")[0] for line in lines} == {
        "server.port",
        "server.dialect",
        "log.format",
        "feed.synthetic",
    }
    assert f"(file {file})" in lines[-1]


def test_a_malformed_subscription_names_the_item_and_the_rule(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUBSCRIPTIONS", "S:AAPL:quote,S:AAPL:tick")
    with pytest.raises(ConfigError) as caught:
        config.load()
    assert "environment SUBSCRIPTIONS" in str(caught.value)
    assert "'S:AAPL:tick'" in str(caught.value)
    assert "event type must be one of quote, candle" in str(caught.value)


def test_a_variable_that_names_no_section(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_SEVER__PORT", "1")
    with pytest.raises(ConfigError, match="FASTROUTER_SEVER__PORT: no such setting"):
        config.load()


def test_a_variable_that_names_no_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_SERVER__PROT", "1")
    with pytest.raises(ConfigError, match=r"environment FASTROUTER_SERVER__PROT\): no such"):
        config.load()


@pytest.mark.parametrize(
    ("content", "said"), [(b"port = = 1", "is not TOML"), (b"\xff", "is not TOML")]
)
def test_a_file_that_is_not_toml(file: Path, content: bytes, said: str):
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        config.load(file)


def test_a_file_that_is_not_there(file: Path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        config.load(file)


def test_the_tree_is_frozen():
    settings = config.load().settings
    with pytest.raises(ValidationError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.server = settings.server  # type: ignore[misc]


def test_settings_built_by_hand_ignore_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_SERVER__PORT", "1")
    assert config.Settings().server.port == 8082


@pytest.mark.parametrize("name", ["FASTROUTER_SERVER", "FASTROUTER_FEED__REPLAY", "FASTROUTER_LOG"])
def test_a_section_as_one_value_is_refused(monkeypatch, name):
    monkeypatch.setenv(name, "abc")
    with pytest.raises(ConfigError, match=r"environment: .*keys one by one"):
        config.load()


# ---- secrets

SECRET = "correct horse battery staple 0123456789"


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


def test_a_short_secret_says_how_long_it_must_be():
    with pytest.raises(ConfigError, match="shorter than 32 bytes; allowed: the HS256 secret, 32"):
        config.load(None, {"auth.secret": "x" * 31})


def test_a_secret_is_not_to_be_seen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_AUTH__SECRET", SECRET)
    effective = config.load()
    shown = render(effective)
    assert effective.settings.auth.enabled
    assert effective.settings.auth.secret.get_secret_value() == SECRET
    for text in (
        repr(effective),
        str(effective.settings),
        shown,
        effective.settings.model_dump_json(),
    ):
        assert "horse" not in text
    assert "# secret is set, and not shown" in shown
    assert "environment FASTROUTER_AUTH__SECRET" in shown


def test_one_secret_is_enough(tmp_path: Path):
    with pytest.raises(ConfigError, match="is set, too"):
        config.load(None, {"auth.secret": SECRET, "auth.secret_file": tmp_path / "s"})


def test_auth_is_off_by_default():
    assert not config.load().settings.auth.enabled
    assert config.load(None, {"auth.algorithms": "HS256"}).settings.auth.enabled


def test_a_secret_is_not_shown_in_an_error():
    with pytest.raises(ConfigError) as caught:
        config.load(None, {"feed.upstream.token": 12345, "feed.upstream.conflate": 6})
    assert "feed.upstream.token = *** (command line)" in str(caught.value)
    assert "feed.upstream.conflate = 6 (command line)" in str(caught.value)
    assert "12345" not in str(caught.value)


def test_an_upstream_is_a_feed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_FEED__UPSTREAM__TOKEN", "hush")
    feed = config.load(None, {"feed.spec": "wss://h:1/ws"}).settings.feed
    assert feed.name == "wss"
    assert feed.upstream.token is not None
    assert feed.upstream.token.get_secret_value() == "hush"
    assert "hush" not in repr(feed)
