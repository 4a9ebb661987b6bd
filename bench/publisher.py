"""The publisher side of a Python subject: the same commands, credits and pace as floor.c.

``RUN s`` publishes for s seconds and answers with a JSON line, ``CPU`` answers with the CPU
seconds so far, the end of the input ends the process.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable

TURN_NS = 1_000_000  # the pace's grain; a late turn follows at once

Publish = Callable[[int, int, int, int], None]
"""Called with symbol, number of the quote, and microseconds of CLOCK_MONOTONIC: now, and due."""


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that every Python subject understands."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--symbols", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0, help="quotes a second; 0: broadcast")
    parser.add_argument("--window", type=int, default=64, help="publishes in flight")
    parser.add_argument("--credit-fd", type=int, default=-1)
    return parser


def cents(number: int) -> int:
    """The bid of a quote: odd, so that its text has always two decimals."""
    return 15001 + 2 * (number % 50)


def symbol_name(symbol: int) -> str:
    return f"S:SYM{symbol:04d}"


class Publisher:
    """Publishes on command. The caller owes ``await finished()``."""

    def __init__(self, options: argparse.Namespace, publish: Publish) -> None:
        self._publish = publish
        self._port: int = options.port
        self._rate: float = options.rate
        self._symbols: int = options.symbols
        self._window: int = options.window
        self._credit_fd: int = options.credit_fd
        self._published = 0
        self._completed = 0
        self._running = False
        self._text = b""
        self._loop = asyncio.get_running_loop()
        self._finished = asyncio.Event()
        os.set_blocking(0, False)
        self._loop.add_reader(0, self._read_commands)
        if self._credit_fd >= 0:
            self._loop.add_reader(self._credit_fd, self._read_credit)

    async def finished(self) -> None:
        """Returns when the input has ended."""
        gc.collect()
        gc.freeze()
        print("PORT", self._port, flush=True)
        await self._finished.wait()

    def _read_commands(self) -> None:
        news = os.read(0, 4096)
        if not news:
            self._loop.remove_reader(0)
            self._finished.set()
            return
        *lines, self._text = (self._text + news).split(b"\n")
        for line in lines:
            word, _, rest = line.decode().partition(" ")
            if word == "RUN":
                self._start(float(rest))
            elif word == "CPU":
                print(json.dumps({"cpu": time.process_time()}), flush=True)
            else:
                sys.exit(f"unknown command {line!r}")

    def _start(self, seconds: float) -> None:
        self._running = True
        self._cpu = time.process_time()
        self._first = self._published
        self._quotes = round(seconds * self._rate)
        self._started = time.monotonic_ns()
        self._ends = self._started + int(seconds * 1e9)
        if self._rate:
            self._turn()
        else:
            self._loop.call_later(seconds + 0.002, self._broadcast)
            self._broadcast()

    def _finish(self) -> None:
        self._running = False
        answer = {
            "published": self._published,
            "started": self._started / 1e9,
            "finished": time.monotonic_ns() / 1e9,
            "cpu": self._cpu,
            "dropped": 0,
        }
        print(json.dumps(answer), flush=True)

    def _read_credit(self) -> None:
        self._completed += os.eventfd_read(self._credit_fd)
        self._broadcast()

    def _broadcast(self) -> None:
        while self._running and self._published - self._completed < self._window:
            now = time.monotonic_ns()
            if now >= self._ends:
                break
            self._publish(0, self._published, now // 1000, now // 1000)
            self._published += 1
        if self._running and time.monotonic_ns() >= self._ends:
            self._finish()

    def _turn(self) -> None:
        now = time.monotonic_ns()
        due = min(self._quotes, int((now - self._started) * self._rate / 1e9) + 1)
        for number in range(self._published - self._first, due):
            wanted = self._started / 1e3 + number * 1e6 / self._rate
            stamp = time.monotonic_ns() // 1000
            self._publish(self._published % self._symbols, self._published, stamp, int(wanted))
            self._published += 1
        if due == self._quotes:
            self._finish()
        else:
            late = time.monotonic_ns() - now
            self._loop.call_later(max(0, TURN_NS - late) / 1e9, self._turn)
