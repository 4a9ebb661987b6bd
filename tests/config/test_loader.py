from pathlib import Path

import pytest

from fastrouter import config
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
