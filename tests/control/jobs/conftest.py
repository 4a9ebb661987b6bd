"""Jobs of their own folder, on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from .fakes import House


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[House]]]:
    """Make jobs of the test's folder, which are closed at the end."""
    houses: list[House] = []

    async def start(**options) -> House:
        houses.append(House(tmp_path, **options))
        await houses[-1].open()
        return houses[-1]

    yield start
    for house in houses:
        await house.close()


@pytest.fixture
async def house(build) -> House:
    return await build()
