"""Brokers by kind."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from fastrouter.control import brokers
from fastrouter.control.live_desk import LiveDesk
from fastrouter.errors import ConfigError


def test_paper_is_the_live_desk():
    assert brokers.load("paper") == LiveDesk.open


def test_an_unknown_kind_names_those_there_are():
    with pytest.raises(ConfigError, match="'pigeon' is not registered; allowed: paper"):
        brokers.load("pigeon")


async def carrier(router, database, terms, delivery):
    return "a desk"


async def test_third_parties_register_theirs(monkeypatch):
    def points(group: str) -> list[EntryPoint]:
        return [EntryPoint("pigeon", f"{__name__}:carrier", group)]

    monkeypatch.setattr(brokers, "entry_points", points)
    assert brokers.names() == ["pigeon", "paper"]
    assert await brokers.load("pigeon")(None, None, None, None) == "a desk"
