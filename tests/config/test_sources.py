import os
from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fastrouter.toml"


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


@pytest.mark.parametrize("name", ["FASTROUTER_SERVER", "FASTROUTER_FEED__REPLAY", "FASTROUTER_LOG"])
def test_a_section_as_one_value_is_refused(monkeypatch, name):
    monkeypatch.setenv(name, "abc")
    with pytest.raises(ConfigError, match=r"environment: .*keys one by one"):
        config.load()
