import sys
from pathlib import Path

import pytest

from fastrouter import app, config
from fastrouter.errors import ConfigError, FastrouterError


@pytest.mark.parametrize(
    "overrides",
    [
        {"server.cert": Path("/none.pem")},
        {"auth.public_key": Path("/none.pem")},
        {"feed.spec": "replay"},
        {"feed.spec": "replay:/none.csv"},
        {"feed.spec": "wss://h", "feed.upstream.cafile": Path("/none.pem")},
    ],
)
def test_what_cannot_be_served_is_no_valid_configuration(overrides: dict):
    settings = config.load(None, overrides).settings
    with pytest.raises(FastrouterError):
        app.check(settings)


def test_a_valid_one():
    app.check(config.load(None, {"feed.spec": "ws://h"}).settings)


@pytest.mark.parametrize(
    "overrides", [{"feed.upstream.conflate": "abc"}, {"feed.synthetic.symbols": ""}]
)
def test_a_value_that_is_none(overrides: dict):
    with pytest.raises(ConfigError):
        config.load(None, overrides)


def test_a_bus_without_its_library(monkeypatch):
    settings = config.load(None, {"bus.dial": "tcp://h:1"}).settings
    app.check(settings)
    monkeypatch.setitem(sys.modules, "pynng", None)
    with pytest.raises(ConfigError, match=r"pip install 'fastrouter\[nng\]'"):
        app.check(settings)
