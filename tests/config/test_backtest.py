"""What a run's account begins with."""

from __future__ import annotations

import pytest

from fastrouter import config
from fastrouter.app.backtest import engine_of
from fastrouter.config.toml import render
from fastrouter.errors import ConfigError


def test_the_defaults():
    section = config.load().settings.backtest
    assert (section.cash, section.commission, section.shorting) == (100_000, {}, False)


def test_a_file_and_text_say_the_same(tmp_path):
    file = tmp_path / "f.toml"
    file.write_text(
        "[backtest]\ncash = 500.5\nshorting = true\ncommission = { per_order = 1, percent = 0.1 }\n"
    )
    effective = config.load(file)
    assert effective.settings.backtest.commission == {"per_order": 1, "percent": 0.1}
    told = {
        "backtest.cash": "500.5",
        "backtest.shorting": "true",
        "backtest.commission": "per_order=1, percent=0.1",
    }
    assert config.load(None, told).settings.backtest == effective.settings.backtest
    again = tmp_path / "again.toml"
    again.write_text(render(effective))
    assert config.load(again).settings.backtest == effective.settings.backtest


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("cash", "0", "backtest.cash = '0'"),
        ("cash", 1e12, "backtest.cash"),
        ("cash", "nan", "backtest.cash"),
        ("commission", "slippage=1", "backtest.commission"),
        ("commission", "percent=-1", "backtest.commission"),
        ("commission", "percent", "backtest.commission"),
        ("shorting", "maybe", "backtest.shorting"),
    ],
)
def test_what_cannot_be(name, value, why):
    with pytest.raises(ConfigError, match=why):
        config.load(None, {f"backtest.{name}": value})


async def test_the_engine_has_it():
    told = {"backtest.cash": 7, "backtest.commission": "per_unit=2", "backtest.shorting": True}
    engine = engine_of(config.load(None, told).settings)
    options = engine.options
    assert (options.cash, options.commission, options.shorting) == (7, {"per_unit": 2}, True)
    await engine.close()
