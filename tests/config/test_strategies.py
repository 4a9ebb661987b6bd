from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.config.toml import render
from fastrouter.errors import ConfigError

MINE = """
[strategies.mine]
command = "python 'my bot.py' -v"
name = "My bot"
symbols = ["S:AAPL", "C:BTCUSD"]
maxPositionValue = 10000
stop_loss_percentage = 0.02
environment = {PROXY_TOKEN = "very private"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fastrouter.toml"
    path.write_text(MINE)
    return path


def test_one_is_built_in():
    (name,) = found = config.load().settings.strategies
    assert name == "crossover"
    assert found[name].command == (sys.executable, "-m", "fastrouter.examples.crossover")
    assert found[name].name == "Moving Average Crossover"
    assert not found[name].autostart


def test_a_table_of_ones_own(file: Path):
    mine = config.load(file).settings.strategies["mine"]
    assert mine.command == ("python", "my bot.py", "-v")
    assert mine.symbols == ("S:AAPL", "C:BTCUSD")
    assert (mine.max_position_value, mine.stop_loss_percentage) == (10000, 0.02)
    assert mine.max_orders_per_minute is None
    assert mine.environment["PROXY_TOKEN"].get_secret_value() == "very private"


def test_a_built_in_one_configured_otherwise(tmp_path: Path):
    path = tmp_path / "f.toml"
    path.write_text("[strategies.crossover]\nautostart = true\n")
    found = config.load(path).settings.strategies["crossover"]
    assert found.autostart
    assert found.command[0] == sys.executable


def test_the_environment_adds_to_a_table(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_STRATEGIES__MINE__AUTOSTART", "true")
    monkeypatch.setenv("FASTROUTER_STRATEGIES__OTHER__COMMAND", "sleep 5")
    monkeypatch.setenv("FASTROUTER_STRATEGIES__OTHER__SYMBOLS", "S:A, S:B")
    effective = config.load(file)
    mine, other = (effective.settings.strategies[name] for name in ("mine", "other"))
    assert mine.autostart
    assert mine.name == "My bot"
    assert (other.command, other.symbols) == (("sleep", "5"), ("S:A", "S:B"))
    said = effective.origin("strategies.mine.autostart")
    assert said == "environment FASTROUTER_STRATEGIES__MINE__AUTOSTART"
    assert "file" in effective.origin("strategies.mine.name")


def test_shown_it_loads_to_the_same(file: Path, tmp_path: Path):
    text = render(config.load(file))
    assert "[strategies.mine]" in text
    assert "private" not in text
    again = tmp_path / "again.toml"
    again.write_text(text)
    was, now = (config.load(one).settings.strategies for one in (file, again))
    assert now["mine"].model_copy(update={"environment": {}}) == was["mine"].model_copy(
        update={"environment": {}}
    )
    assert now["crossover"] == was["crossover"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("command", "", "allowed: a program and its arguments"),
        ("command", [], "allowed: a program and its arguments"),
        ("command", "'x", "No closing quotation; allowed: a program"),
        ("command", ["", "x"], "no such program can be"),
        ("command", ["a\0b"], "no such program can be"),
        ("command", 5, "valid tuple"),
        ("name", "", "a title for people"),
        ("symbols", "S:A B", "'S:A B' is no symbol; allowed: symbols"),
        ("symbols", ["S:*"], "'S:*' is no symbol"),
        ("subscriptions", "S:A:tick", "the event type must be one of"),
        ("data_resolution", "7m", "1s"),
        ("environment", {"A": 5}, "valid string; allowed: variables"),
        ("environment", {"A=B": "x"}, "'A=B' cannot be a variable"),
        ("autostart", "perhaps", "true (it starts with us) or false"),
        ("max_restarts", -1, "0 or more"),
        ("restart_seconds", 0, "seconds above 0 until"),
        ("restart_longest_seconds", 0.5, "it is below restart_seconds"),
        ("restart_window_seconds", 0, "seconds above 0 in which"),
        ("grace_seconds", -1, "0 to 3600 seconds"),
        ("max_position_value", 0, "a number above 0"),
        ("max_position_value", 1e13, "up to 10^12"),
        ("max_orders_per_minute", 0, "a number from 1"),
        ("stop_loss_percentage", 2, "0.02 is 2 %"),
        ("real_trading", "yes!", "on a live account"),
        ("nope", 1, "no such setting; allowed: command, name, symbols"),
    ],
)
def test_what_cannot_be_is_named_with_what_is_allowed(file: Path, key: str, value: object, said):
    with pytest.raises(ConfigError) as caught:
        config.load(file, {f"strategies.mine.{key}": value})
    message = str(caught.value)
    assert message.startswith(f"strategies.mine.{key} = ")
    assert "(command line)" in message
    assert said in message
    assert "\n" not in message


def test_a_table_without_a_command():
    with pytest.raises(ConfigError, match=r"strategies\.x\.command = nothing .*: Field required"):
        config.load(None, {"strategies.x.environment": {"A": "private"}})


@pytest.mark.parametrize("name", ["a b", "ä", "x" * 65, "a/b", ""])
def test_a_name_that_cannot_be(name: str):
    with pytest.raises(ConfigError, match="a strategy is called") as caught:
        config.load(None, {f"strategies.{name}.environment": {"A": "private"}})
    assert "1 to 64 of A-Z a-z 0-9 _ -" in str(caught.value)
    assert "private" not in str(caught.value)


@pytest.mark.parametrize("value", [5, "python x.py", []])
def test_what_is_no_table(value: object):
    with pytest.raises(ConfigError, match=r"strategies\.mine|strategies"):
        config.load(None, {"strategies.mine": value})
    with pytest.raises(ConfigError, match="strategies"):
        config.load(None, {"strategies": value})


def test_a_setting_has_one_of_its_two_names(file):
    file.write_text(MINE + "max_position_value = 5\n")
    with pytest.raises(ConfigError, match="max_position_value are the same"):
        config.load(file)
    file.write_text(MINE)
    found = config.load(file, {"strategies.mine.max_position_value": 5})
    assert found.settings.strategies["mine"].max_position_value == 5
    assert found.origin("strategies.mine.max_position_value") == "command line"


def test_what_is_built_in_can_be_set_by_either_name(file):
    for name in ("dataResolution", "data_resolution"):
        file.write_text(f'[strategies.crossover]\n{name} = "5m"\n')
        assert config.load(file).settings.strategies["crossover"].data_resolution == "5m"
