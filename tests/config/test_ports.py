"""The ports beside the server's own."""

from __future__ import annotations

import pytest

from fastrouter import config
from fastrouter.config.toml import render
from fastrouter.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_ports_from_outside(monkeypatch: pytest.MonkeyPatch):
    for name in config.Ports.model_fields:
        monkeypatch.delenv(f"FASTROUTER_PORTS__{name.upper()}", raising=False)


def test_the_contracts_ports_are_the_defaults():
    served = dict(config.load().settings.ports.served())
    assert served == {"rest": 8080, "ai": 8000, "market": 3001, "risk": 3002, "backtest": 8081}


def test_off_and_text(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("FASTROUTER_PORTS__MARKET", "off")
    file = tmp_path / "f.toml"
    file.write_text('[ports]\nai = "off"\nbacktest = "off"\nrisk = 0\n')
    effective = config.load(file, {"ports.rest": "81"})
    assert dict(effective.settings.ports.served()) == {"rest": 81, "risk": 0}
    again = tmp_path / "again.toml"
    again.write_text(render(effective))
    monkeypatch.delenv("FASTROUTER_PORTS__MARKET")
    assert config.load(again).settings.ports == effective.settings.ports


@pytest.mark.parametrize("value", ["x", -1, 65536, "on", 1.5, ""])
def test_what_is_no_port(value):
    with pytest.raises(
        ConfigError, match=r'ports.ai = .*allowed: 0 \(any free port\) to 65535, or "off"'
    ):
        config.load(None, {"ports.ai": value})
