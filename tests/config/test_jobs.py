from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.errors import ConfigError


def test_defaults():
    found = config.load().settings.jobs
    assert (found.at_once, found.waiting, found.keep) == (2, 1000, 1000)
    assert (found.timeout_seconds, found.grace_seconds, found.logs) == (86_400, 5, None)


def test_by_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "f.toml").write_text('[jobs]\nat_once = 8\nlogs = "/var/log/jobs"\n')
    monkeypatch.setenv("FASTROUTER_JOBS__KEEP", "0")
    found = config.load(tmp_path / "f.toml").settings.jobs
    assert (found.at_once, found.keep, found.logs) == (8, 0, Path("/var/log/jobs"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("at_once", 0), ("at_once", 257), ("waiting", 0), ("keep", -1), ("timeout_seconds", 0),
     ("timeout_seconds", "inf"), ("grace_seconds", -1), ("grace_seconds", "nan")],
)  # fmt: skip
def test_what_cannot_be(name, value):
    with pytest.raises(ConfigError, match=rf"jobs\.{name} = .*allowed: "):
        config.load(None, {f"jobs.{name}": value})
