"""Where the store is when nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.errors import ConfigError


@pytest.fixture(autouse=True)
def _default(monkeypatch):
    monkeypatch.delenv("FASTROUTER_STORE__PATH")


def test_in_the_state_folder_of_the_user(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert config.load().settings.store.file == Path("/var/state/fastrouter/state.db")


@pytest.mark.parametrize("folder", ["", "relative", None])
def test_else_in_the_home_folder(monkeypatch, folder):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if folder is not None:
        monkeypatch.setenv("XDG_STATE_HOME", folder)
    assert config.load().settings.store.file == Path("/home/me/.local/state/fastrouter/state.db")


def test_off_is_memory(monkeypatch):
    monkeypatch.setenv("FASTROUTER_STORE__PATH", "off")
    assert config.load().settings.store.file is None
    assert config.load(None, {"store.path": "/tmp/x.db"}).settings.store.file == Path("/tmp/x.db")


def test_what_cannot_be_is_named():
    with pytest.raises(ConfigError, match=r"store.path = 7 .*memory"):
        config.load(None, {"store.path": 7})
