import pytest
from pydantic import ValidationError

from fastrouter import config


def test_the_tree_is_frozen():
    settings = config.load().settings
    with pytest.raises(ValidationError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.server = settings.server  # type: ignore[misc]


def test_settings_built_by_hand_ignore_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FASTROUTER_SERVER__PORT", "1")
    assert config.Settings().server.port == 8082
