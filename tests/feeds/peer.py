"""What the feeds' tests share: a clock that only sleeping moves, and a router that keeps all."""

import asyncio

import numpy as np

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
from fastrouter.core.record import Recorder as CoreRecorder
from fastrouter.core.router import Router

S = 10**9
NOON = 1_700_000_040 * S  # a whole minute


class Time:
    """A wall clock that sleeping moves, by a bit more than was asked."""

    def __init__(self, now=NOON, late=0):
        self.now, self.late, self.naps = now, late, []

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.naps.append(seconds)
        self.now += round(seconds * S) + self.late


class Recorder(CoreRecorder):
    """A router that keeps copies of what it gets, and when; and of candles, when they close."""

    def __init__(self, clock=None, candles=()):
        self.clock, self.batches, self.drains = clock, [], 0
        self.volumes = []
        self.closed = []
        self.router = Router(clock=Clock(NOON), candles=candles, recorder=self)

    def record(self, record):
        self.closed.append((self.clock() if self.clock else 0, record.payload))

    def publish_batch(self, rows, volumes=None):
        self.batches.append((self.clock() if self.clock else 0, rows.copy()))
        if volumes is not None:
            assert len(volumes) == len(rows)
            self.volumes += volumes.tolist()
        if self.router.candles:
            self.router.publish_batch(rows, volumes)

    @property
    def next_close(self):
        return self.router.next_close

    def close_candles(self, now):
        self.router.close_candles(now)

    async def drained(self):
        self.drains += 1
        await asyncio.sleep(0)

    def rows(self, dtype):
        parts = [rows for _, rows in self.batches if rows.dtype == dtype]
        return np.concatenate([np.empty(0, dtype), *parts])

    quotes = property(lambda self: self.rows(QUOTE_DTYPE))
    candles = property(lambda self: self.rows(CANDLE_DTYPE))
