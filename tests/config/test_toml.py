import tomllib
from pathlib import Path

from fastrouter import config
from fastrouter.config.toml import render

CHOSEN = {
    "server.port": 9000,
    "server.subscriptions": 'S:"A\\é😀:quote',
    "feed.synthetic.symbols": ["S:A", "S:B"],
    "feed.synthetic.rate": "max",
    "feed.replay.file": "some/ticks.csv",
    "feed.replay.columns": {"time": 0, "bid": "the bid"},
    "feed.replay.loop": True,
}


def test_it_loads_to_the_same_settings(tmp_path: Path):
    effective = config.load(None, CHOSEN)
    file = tmp_path / "shown.toml"
    file.write_text(render(effective), encoding="utf-8")
    assert config.load(file).settings == effective.settings


def test_each_value_has_its_origin():
    shown = render(config.load(None, {"server.port": 9000})).splitlines()
    assert "port = 9000                              # command line" in shown
    assert 'host = "127.0.0.1"                       # default' in shown
    assert "# subscriptions is not set" in shown


def test_sections_are_tables():
    assert set(tomllib.loads(render(config.load()))) == {
        *("server", "ports", "auth", "limits", "journal", "feed", "bus", "store"),
        *("broker", "backtest", "jobs", "control", "strategies", "log"),
    }


def test_a_secret_is_not_shown():
    shown = render(config.load(None, {"feed.upstream.token": "hush"}))
    assert "hush" not in shown
    assert "# token is set, and not shown            # command line" in shown.splitlines()
    assert "token" not in tomllib.loads(shown)["feed"]["upstream"]
