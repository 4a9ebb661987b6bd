"""The terms of an account."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter import config
from fastrouter.app.trading import terms_of
from fastrouter.config.toml import render
from fastrouter.errors import ConfigError


def broker(**values) -> config.Broker:
    overrides = {f"broker.{name}": value for name, value in values.items()}
    return config.load(None, overrides).settings.broker


def test_the_defaults_trade_on_paper():
    terms = terms_of(broker())
    assert (terms.account, terms.cash, terms.currency) == ("default", 100_000, "USD")
    assert terms.mode == "PAPER_TRADING"
    assert not terms.rules.shorting


def test_text_of_the_environment_is_exact(monkeypatch):
    for name, value in {
        "CASH": "0.1",
        "COMMISSION": "per_order=1, percent=0.1",
        "COLLAR": "0.02",
        "MAX_DAILY_LOSS": "500.50",
        "SESSION_END": "21:30",
        "SHORTING": "true",
        "PARTICIPATION": "0.25",
    }.items():
        monkeypatch.setenv(f"FASTROUTER_BROKER__{name}", value)
    terms = terms_of(broker())
    assert terms.cash == Decimal("0.1")
    rules = terms.rules
    assert (rules.collar, rules.participation) == (Decimal("0.02"), Decimal("0.25"))
    assert rules.max_daily_loss == Decimal("500.5")
    assert rules.session_end == (21 * 60 + 30) * 60 * 10**9
    assert rules.shorting
    assert rules.commission.of(Decimal(2), Decimal(100), True) == Decimal("1.2")


def test_numbers_of_a_file_are_exact(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("[broker]\ncash = 0.1\ncommission = {per_unit = 0.005}\n")
    found = config.load(file)
    assert found.settings.broker.cash == Decimal("0.1")
    assert found.settings.broker.commission == {"per_unit": Decimal("0.005")}
    shown = render(found)
    assert "cash = 0.1 " in shown
    again = tmp_path / "again.toml"
    again.write_text(shown)
    assert config.load(again).settings.broker == found.settings.broker


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", ""),
        ("account", ""),
        ("account", "x" * 129),
        ("cash", "-1"),
        ("cash", "NaN"),
        ("cash", "1e12"),
        ("cash", "0.0000000001"),
        ("currency", "usd"),
        ("mode", "YOLO"),
        ("commission", "per_moon=1"),
        ("commission", "per_order"),
        ("commission", "per_order=-1"),
        ("participation", "0"),
        ("collar", "2"),
        ("session_end", "24:00"),
        ("session_end", "9:00"),
        ("session_end", "noon"),
        ("max_daily_loss", "0"),
    ],
)
def test_what_cannot_be_is_named(name, value):
    with pytest.raises(ConfigError, match=f"broker.{name}"):
        broker(**{name: value})
