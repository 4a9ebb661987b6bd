from __future__ import annotations

import pytest

from fastrouter.config.inherited import inherited


def test_programs_inherit_none_of_our_settings(monkeypatch: pytest.MonkeyPatch):
    ours = ("FASTROUTER_AUTH__SECRET", "fastrouter_auth__secret", "PROXY_TOKEN", "SUBSCRIPTIONS")
    for name in ours:
        monkeypatch.setenv(name, "private")
    monkeypatch.setenv("THEIRS", "yes")
    found = inherited()
    assert found["THEIRS"] == "yes"
    assert found["PATH"]
    assert not set(ours) & set(found)
    assert "private" not in found.values()
