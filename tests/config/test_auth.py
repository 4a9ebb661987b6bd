from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.config.toml import render
from fastrouter.errors import ConfigError

SECRET = "correct horse battery staple 0123456789"


def test_a_short_secret_says_how_long_it_must_be():
    with pytest.raises(ConfigError, match="shorter than 32 bytes; allowed: the HS256 secret, 32"):
        config.load(None, {"auth.secret": "x" * 31})


def test_a_secret_is_not_to_be_seen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_AUTH__SECRET", SECRET)
    effective = config.load()
    shown = render(effective)
    assert effective.settings.auth.enabled
    assert effective.settings.auth.secret.get_secret_value() == SECRET
    for text in (
        repr(effective),
        str(effective.settings),
        shown,
        effective.settings.model_dump_json(),
    ):
        assert "horse" not in text
    assert "# secret is set, and not shown" in shown
    assert "environment FASTROUTER_AUTH__SECRET" in shown


def test_one_secret_is_enough(tmp_path: Path):
    with pytest.raises(ConfigError, match="is set, too"):
        config.load(None, {"auth.secret": SECRET, "auth.secret_file": tmp_path / "s"})


def test_auth_is_off_by_default():
    assert not config.load().settings.auth.enabled
    assert config.load(None, {"auth.algorithms": "HS256"}).settings.auth.enabled
