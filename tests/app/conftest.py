"""What every test of the whole server may need."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
import uvloop

from fastrouter.feeds import FEEDS


def pytest_asyncio_loop_factories(config, item):
    """What is asynchronous must work on both event loops."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def _restore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`app.serve` owns its process; give back what it takes."""
    monkeypatch.setitem(FEEDS, "scripted", "tests.app.visit:Scripted")
    monkeypatch.setitem(FEEDS, "flaky", "tests.app.visit:flaky")
    thresholds, interval, root = gc.get_threshold(), sys.getswitchinterval(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
