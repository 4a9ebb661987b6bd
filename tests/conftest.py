"""What every test may need."""

import gc
import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import Phase, settings

# The same examples in every run, so that one that fails fails for everybody;
# `--hypothesis-profile=long` looks at new ones each time, for minutes.
QUICK = {
    "derandomize": True,
    "deadline": None,
    "database": None,
    "max_examples": 200,
    "stateful_step_count": 40,
    "phases": (Phase.explicit, Phase.generate, Phase.shrink),
    "report_multiple_bugs": False,
}
LONG = {"derandomize": False, "max_examples": 10_000, "stateful_step_count": 80}
settings.register_profile("quick", **QUICK)
settings.register_profile("long", **{**QUICK, **LONG})
settings.load_profile("quick")

# of the environment; a pytest that a test starts is not one of ours (PYTEST_XDIST_WORKER)
OURS = ("FASTROUTER_", "PYTEST_")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch):
    """Tests see no configuration of whoever runs them."""
    for name in list(os.environ):
        if name in ("SUBSCRIPTIONS", "PROXY_WS_URL") or name.startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """What a command configures in this process ends with its test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _any_port(monkeypatch: pytest.MonkeyPatch, _no_settings_from_outside: None):
    """Servers that tests start, in this process or another, do not meet at the default ports."""
    for key in (
        "CONTROL__PORT",
        "PORTS__REST",
        "PORTS__AI",
        "PORTS__BACKTEST",
        "PORTS__MARKET",
        "PORTS__RISK",
    ):
        monkeypatch.setenv(f"FASTROUTER_{key}", "0")


@pytest.fixture(autouse=True)
def _no_store(monkeypatch: pytest.MonkeyPatch, _no_settings_from_outside: None):
    """Servers that tests start keep nothing, unless a test says where."""
    monkeypatch.setenv("FASTROUTER_STORE__PATH", "off")


@pytest.fixture(autouse=True)
def _installed_package(monkeypatch: pytest.MonkeyPatch):
    """Processes that a test starts import what is installed, not the folder they start in."""
    monkeypatch.setenv("PYTHONSAFEPATH", "1")


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Memory comes back without it: in a server it comes round rarely."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
