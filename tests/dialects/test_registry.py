"""Envelope families by name."""

from __future__ import annotations

import pytest

from fastrouter.dialects import DIALECTS, Shelf, load, names
from fastrouter.errors import ConfigError


def test_what_is_registered_loads_under_its_name():
    for name in DIALECTS:
        assert load(name, decimals="string").name == name


def test_what_is_not_names_what_is():
    with pytest.raises(ConfigError, match="dialect 'klingon' is not registered; allowed: trading-"):
        load("klingon")


def test_a_shelf_loads_each_once():
    shelf = Shelf()
    assert shelf.names == tuple(names())
    assert shelf.get("trading-api") is shelf.get("trading-api", "string")
    assert shelf.get("trading-api") is not shelf.get("trading-api", "number")
    assert shelf.get("trading-api") is not Shelf().get("trading-api")
    with pytest.raises(ConfigError, match="klingon"):
        shelf.get("klingon")
