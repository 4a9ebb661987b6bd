"""What a client takes from the world besides the socket, so that tests can bring their own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

__all__ = ["Surroundings"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Clocks, chance and patience.

    ``now`` is the wall clock and ``monotonic`` the steady one, both in
    seconds; ``random`` returns a float in [0, 1); ``sleep`` waits seconds.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
