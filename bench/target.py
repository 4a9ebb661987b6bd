"""The server that proofs are run against: it publishes mixed traffic at steady rates.

Spoken to line by line: it says ``PORT n``, answers ``START``, ``PAUSE`` and ``STATS`` with a line
of JSON, and leaves when its input ends. Every lossless event carries its number, from 1 on
without a hole. The flood is bursts of quotes of symbols of its own, ``F:*``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from fastrouter import Candle, Quote, Router, config
from fastrouter.app.parts import Parts
from fastrouter.app.rest import Rest
from fastrouter.journal.journal import Journal
from fastrouter.net.route import Route
from fastrouter.net.server import Server

DEFAULT = "S:*:quote,S:*:candle,S:*:order,S:*:signal"
SWITCH = {b"START\n": True, b"PAUSE\n": False}
MEMORY = 1 << 20  # bytes of journal when it has no file
TICK = 0.005  # s between two bursts
KINDS = ("quotes", "orders", "candles", "signals", "flood")
FLOOD = [f"F:{number:03d}" for number in range(40)]  # a burst is a quote of each: 8 KB


class Traffic:
    """Publishes each kind at its rate, in events a second."""

    def __init__(self, router: Router, rates: dict[str, float], symbols: int) -> None:
        self.router = router
        self.rates = rates
        self.symbols = [f"S:T{number:03d}" for number in range(symbols)]
        self.published = dict.fromkeys(KINDS, 0)
        self.number = 0  # of the last lossless event
        self.running = asyncio.Event()  # cleared: a pause

    def quotes(self, count: int) -> None:
        symbol = self.symbols[count % len(self.symbols)]
        self.router.publish(Quote(symbol, bid=count, ask=count + 1, bid_size=time.monotonic_ns()))

    def candles(self, count: int) -> None:
        self.number += 1
        symbol = self.symbols[count % len(self.symbols)]
        price = float(self.number)
        self.router.publish(
            Candle(symbol, open=price, high=price, low=price, close=price,
                   volume=time.monotonic_ns(), closed=True)
        )  # fmt: skip

    def orders(self, count: int) -> None:
        self.rare("order", count)

    def signals(self, count: int) -> None:
        self.rare("signal", count)

    def flood(self, count: int) -> None:
        with self.router.batch():
            for symbol in FLOOD:
                self.router.publish(Quote(symbol, bid=count, ask=count + 1))

    def rare(self, kind: str, count: int) -> None:
        self.number += 1
        symbol = self.symbols[count % len(self.symbols)]
        payload: dict[str, Any] = {"id": str(self.number), "symbol": symbol}
        if kind == "signal":
            payload["action"] = "HOLD"
        payload["metadata"] = {"number": self.number, "sent": time.monotonic_ns()}
        self.router.publish(kind, payload)

    async def run(self) -> None:
        """Publish for ever, while `running` is set."""
        publish: list[tuple[str, Callable[[int], None]]] = [
            (kind, getattr(self, kind)) for kind in KINDS if self.rates[kind]
        ]
        elapsed = 0.0
        while True:
            await self.running.wait()
            began = time.monotonic()
            await asyncio.sleep(TICK)
            if not self.running.is_set():
                continue
            elapsed += time.monotonic() - began
            for kind, one in publish:
                while self.published[kind] < elapsed * self.rates[kind]:
                    self.published[kind] += 1
                    one(self.published[kind])

    def state(self, server: Any) -> dict[str, Any]:
        return {
            "number": self.number,
            "published": self.published,
            "sessions": server.sessions,
            "connections": server.crowd.connections,
            "accepted": server.accepted,
            "refused": server.refused,
            "rejected": server.rejected,
            "descriptors": len(os.listdir("/proc/self/fd")),
            "router": self.router.counters()._asdict(),
        }


async def _obey(traffic: Traffic, server: Any) -> None:
    """Answer the lines of our input until it ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line in SWITCH:
            traffic.running.set() if SWITCH[line] else traffic.running.clear()
        print(json.dumps(traffic.state(server)), flush=True)


async def _serve(router: Router, options: argparse.Namespace) -> tuple[Server, Rest | None]:
    """Sessions at one port, with REST or without."""
    group = router.group()
    routes = [Route(path, subscriptions=options.subscriptions) for path in ("/", "/ws")]
    rest = None
    if options.rest:
        parts = Parts(router, group.admission.verifier)
        rest = await Rest.start(parts, group, config.load(None).settings, routes)
    server = await group.serve(
        "127.0.0.1",
        options.port,
        routes,
        speaks=None if rest is None else rest.speaks,
        heartbeat=options.heartbeat,
        messages_per_minute=0,  # who floods is not what is to be proved
    )
    return server, rest


async def _run(options: argparse.Namespace) -> None:
    journal = Journal(options.journal, max_bytes=None if options.journal else MEMORY)
    router = Router(outbox_bytes=options.outbox_bytes, journal=journal)
    server, rest = await _serve(router, options)
    print(f"PORT {server.port}", flush=True)
    traffic = Traffic(router, {kind: getattr(options, kind) for kind in KINDS}, options.symbols)
    publishing = asyncio.ensure_future(traffic.run())
    await _obey(traffic, server)
    publishing.cancel()
    await server.close(0.5)
    if rest is not None:
        await rest.close()
    journal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--heartbeat", type=float, default=15.0, help="s")
    parser.add_argument("--outbox-bytes", type=int, default=1 << 20)
    parser.add_argument("--journal", type=Path, help="a file; default: memory")
    parser.add_argument("--subscriptions", default=DEFAULT)
    parser.add_argument("--rest", action="store_true", help="REST at the same port")
    parser.add_argument("--symbols", type=int, default=20)
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=float, default=0.0, help="a second")
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
