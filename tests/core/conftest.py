"""A router that stands still in time, and what it records."""

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router

from .peer import START, Kept


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def router(kept) -> Router:
    return Router(clock=Clock(START), recorder=kept)
