"""Symbols where there are no prefixes."""

from __future__ import annotations

from uuid import UUID

import pytest

from fastrouter.core.asset import account_uuid, asset_of


@pytest.mark.parametrize(
    ("symbol", "name", "asset_class", "exchange"),
    [
        ("S:AAPL", "AAPL", "us_equity", ""),
        ("C:BTCUSD", "BTCUSD", "crypto", "CRYPTO"),
        ("O:AAPL250117C00150000", "AAPL250117C00150000", "us_option", ""),
        ("F:ES:2025", "ES:2025", "us_equity", ""),
        ("BTCUSDT", "BTCUSDT", "us_equity", ""),
        ("C:", "C:", "us_equity", ""),
        (":A", "A", "us_equity", ""),
        ("", "", "us_equity", ""),
    ],
)
def test_name_and_class(symbol, name, asset_class, exchange):
    asset = asset_of(symbol)
    assert asset[1:] == (name, asset_class, exchange)
    assert str(UUID(asset.id)) == asset.id


def test_ids_are_the_same_for_ever_and_of_one_symbol_each():
    assert asset_of("S:AAPL").id == "18864050-5815-5963-9a8e-9ec9201e0933"
    symbols = ("S:A", "C:A", "A", "S:AA", "")
    assert len({asset_of(symbol).id for symbol in symbols}) == len(symbols)
    assert account_uuid("paper") == "53c05847-5f5f-5b3e-be88-32488cdb41f9"
    assert account_uuid("paper") != account_uuid("Paper")
