"""Thousands of sessions in one process, each checked for loss: what soak and crash look through.

Every session notes what it was sent of the lossless lane, over all its connections, and comes
back with ``since=`` the highest id it saw. At the end one more session asks for the whole
journal: what each saw must be a stretch of that, without a hole and without anything twice.

Spoken to line by line; every line is answered by one of JSON:
``STATE``, ``MARK`` (forget latencies up to now), ``JUDGE``. Its end of input ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import sys
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import uvloop

from .child import raise_file_limit
from .inputs import HANDSHAKE, TEXT, frame, lines

SMALL = 4096  # bytes of receive buffer
BEAT = 5.0  # s between two signs of life of sessions that never read a ping
RETRY = 0.1  # s between two attempts to connect, about
PATIENCE = 60.0  # s for everybody to catch up
SAMPLE = 8  # one message in so many is timed
PONG = frame(b'{"type":"pong"}', TEXT)
SENT = (b'"sent":', b'"volume":"', b'"bid_size":"')  # where a message says when it was published
SUBSCRIPTIONS = "S:*:quote,S:*:candle,S:*:order,S:*:signal"
FLOOD = ",F:*:quote"  # for sessions that stall: the kernel alone holds megabytes for a socket


class Seen:
    """What one session saw of the lossless lane: count, sum and ends, and whether in order."""

    def __init__(self) -> None:
        self.first = self.last = self.count = self.sum = self.disorder = 0

    def note(self, event: int) -> None:
        if not self.count:
            self.first = event
        elif event <= self.last:
            self.disorder += 1
        self.last = event
        self.count += 1
        self.sum += event


class Ledger(Seen):
    """All that was seen, id by id."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.events = array("Q", [first])

    def note(self, event: int) -> None:
        self.events.append(event)


class Client(asyncio.Protocol):
    """One session; `stalled` ones never read."""

    def __init__(self, swarm: Swarm, stalled: bool) -> None:
        self.swarm = swarm
        self.stalled = stalled
        self.seen = Seen()
        self.highest = 0  # id, of whatever kind
        self.connections = 0
        self.gaps = 0
        self.live = False
        self.transport: asyncio.Transport | None = None
        self._rest = b""

    # ------------------------------------------------------------- connection

    async def connect(self) -> None:
        """Connect, and again until somebody answers."""
        while not self.swarm.ending:
            try:
                sock = await self._socket()
                await self.swarm.loop.create_connection(lambda: self, sock=sock)
                return
            except OSError:
                await asyncio.sleep(RETRY * (0.5 + self.swarm.random.random()))

    async def _socket(self) -> socket.socket:
        """A connected socket; that of a stalled session is soon full."""
        sock = socket.socket()
        sock.setblocking(False)
        try:
            if self.stalled:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            await self.swarm.loop.sock_connect(sock, ("127.0.0.1", self.swarm.port))
        except BaseException:
            sock.close()
            raise
        return sock

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.connections += 1
        self.live, self._rest = False, b""
        since = f"&since=evt_{self.highest}" if self.highest else ""
        flood = FLOOD if self.stalled else ""
        target = f"/ws?subscriptions={self.swarm.subscriptions}{flood}{since}"
        transport.write(lines([HANDSHAKE[0].format(target=target), *HANDSHAKE[1:]]))
        if self.stalled:
            self.swarm.loop.call_soon(transport.pause_reading)  # uvloop starts to read after this

    def connection_lost(self, error: Exception | None) -> None:
        self.live, self.transport = False, None
        self.swarm.back(self)

    def kill(self) -> None:
        """Hang up without a word."""
        if self.transport is not None:
            self.transport.abort()

    # ---------------------------------------------------------------- reading

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        at = 0
        if not self.live:
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            self._begin(data[:at])
        for payload, end in payloads(data, at):
            at = end
            self._message(payload)
        self._rest = data[at:]

    def _begin(self, head: bytes) -> None:
        self.live = b" 101 " in head[:20]
        if not self.live:
            self.swarm.refused += 1
            self.kill()

    def _message(self, text: bytes) -> None:
        kind = text[9:14]  # {"type":"order", "quote", "candl", "signa"
        if kind in MARKET and (b'"snapshot":true' in text or b'"closed":false' in text):
            return
        if kind == b"quote":
            self.highest = number(text, b'"id":"evt_')
            self.swarm.quotes += 1
        elif kind in LOSSLESS:
            self.highest = number(text, b'"id":"evt_')
            self.seen.note(self.highest)
        elif kind == b'ping"' and self.transport is not None:
            self.transport.write(PONG)
            return
        else:
            self.gaps += b"RESUME_GAP" in text
            return
        self.swarm.time(text)


MARKET = (b"quote", b"candl")
LOSSLESS = (b"order", b"signa", b"candl")


def payloads(data: bytes, at: int) -> Iterator[tuple[bytes, int]]:
    """The payload of each whole frame, and where it ends."""
    size = len(data)
    while at + 2 <= size:
        length, start = data[at + 1], at + 2
        if length > 125:
            width = 2 if length == 126 else 8
            if start + width > size:
                return
            length, start = int.from_bytes(data[start : start + width], "big"), start + width
        if start + length > size:
            return
        at = start + length
        yield data[start:at], at


def number(text: bytes, before: bytes) -> int:
    """The digits that follow `before`."""
    start = text.index(before) + len(before)
    end = start
    while 48 <= text[end] <= 57:
        end += 1
    return int(text[start:end])


# ------------------------------------------------------------------------- all of them


class Swarm:
    """All sessions of the process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.loop = asyncio.get_running_loop()
        self.port = options.port
        self.subscriptions = options.subscriptions
        self.random = random.Random(options.seed)
        self.kills = options.kills
        self.refused = self.quotes = self.killed = self.ticks = 0
        self.ending = False
        self.latencies = array("Q")
        stalled = int(options.sessions * options.stalled)
        self.clients = [Client(self, at < stalled) for at in range(options.sessions)]
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def healthy(self) -> list[Client]:
        return [client for client in self.clients if not client.stalled]

    def time(self, text: bytes) -> None:
        """Note how old a message is, for one in `SAMPLE`."""
        self.ticks += 1
        if self.ticks % SAMPLE:
            return
        for before in SENT:
            if before in text:
                self.latencies.append(max(0, time.monotonic_ns() - number(text, before)))
                return

    def start(self, task: Any) -> None:
        running = asyncio.ensure_future(task)
        self.tasks.add(running)
        running.add_done_callback(self.tasks.discard)

    def back(self, client: Client) -> None:
        """A session lost its connection: it comes back."""
        if not self.ending:
            self.start(self._return(client))

    async def _return(self, client: Client) -> None:
        await asyncio.sleep(RETRY * self.random.random())
        await client.connect()

    async def kill(self) -> None:
        """Hang up on somebody at random, again and again."""
        while self.kills and not self.ending:
            await asyncio.sleep(self.random.expovariate(self.kills))
            self.random.choice(self.healthy).kill()
            self.killed += 1

    async def beat(self) -> None:
        """Sessions that stall are alive all the same."""
        while not self.ending:
            await asyncio.sleep(BEAT)
            for client in self.clients:
                if client.stalled and client.transport is not None:
                    client.transport.write(PONG)

    # ---------------------------------------------------------------- answers

    def state(self) -> dict[str, Any]:
        found = sorted(self.latencies)
        return {
            "live": sum(client.live for client in self.healthy),
            "healthy": len(self.healthy),
            "stalled": sum(client.connections for client in self.clients if client.stalled),
            "connections": sum(client.connections for client in self.clients),
            "killed": self.killed,
            "refused": self.refused,
            "quotes": self.quotes,
            "lossless": sum(client.seen.count for client in self.healthy),
            "samples": len(found),
            "p50_us": found[len(found) // 2] / 1e3 if found else None,
            "p99_us": found[len(found) * 99 // 100] / 1e3 if found else None,
        }

    def mark(self) -> dict[str, Any]:
        del self.latencies[:]
        return {}

    async def judge(self) -> dict[str, Any]:
        """Is what each healthy session saw a stretch of the journal, up to its end?"""
        self.kills = 0
        timed = self.state()  # what the auditor is sent is old
        first = min((c.seen.first for c in self.healthy if c.seen.count), default=0)
        auditor = Auditor(self, first)
        await auditor.connect()
        end = self.loop.time() + PATIENCE
        while not self._settled(auditor) and self.loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        events = auditor.seen.events
        sums = [0]
        for event in events:
            sums.append(sums[-1] + event)
        faults = [
            f"session {at}: {fault}"
            for at, client in enumerate(self.clients)
            if not client.stalled and (fault := complaint(client, events, sums))
        ]
        return {"events": len(events), "first": first, "last": events[-1] if events else 0,
                "gaps": auditor.gaps, "in order": sorted(set(events)) == list(events),
                "faults": faults[:20], "faulty": len(faults), **self.state(),
                "p50_us": timed["p50_us"], "p99_us": timed["p99_us"]}  # fmt: skip

    def _settled(self, auditor: Auditor) -> bool:
        last = max(client.seen.last for client in self.healthy)
        end = auditor.seen.events[-1]
        return end >= last and all(c.live and c.seen.last == end for c in self.healthy)


class Auditor(Client):
    """A session that asks for everything from the first id on, and keeps the ids."""

    seen: Ledger

    def __init__(self, swarm: Swarm, first: int) -> None:
        super().__init__(swarm, False)
        self.highest = first
        self.seen = Ledger(first)

    def connection_lost(self, error: Exception | None) -> None:
        self.live, self.transport = False, None


def complaint(client: Client, events: array[int], sums: list[int]) -> str | None:
    """What is wrong with what a session saw."""
    seen = client.seen
    if client.gaps:
        return f"{client.gaps} gaps were announced"
    if seen.disorder:
        return f"{seen.disorder} events came twice or out of order"
    if not seen.count:
        return "saw nothing"
    if seen.last != events[-1]:
        return f"ended at {seen.last}, not {events[-1]}"
    start = bisect_left(events, seen.first)
    if seen.count != len(events) - start:
        return (
            f"saw {seen.count} of {len(events) - start} events in {client.connections} connections"
        )
    if seen.sum != sums[-1] - sums[start]:
        return "saw other events than were published"
    return None


async def _run(options: argparse.Namespace) -> None:
    swarm = Swarm(options)
    for client in swarm.clients:
        await client.connect()
    while sum(client.live for client in swarm.healthy) < len(swarm.healthy):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    print("READY", flush=True)
    swarm.start(swarm.kill())
    swarm.start(swarm.beat())
    reader = asyncio.StreamReader()
    await swarm.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        word = line.strip().decode()
        answer = await swarm.judge() if word == "JUDGE" else getattr(swarm, word.lower())()
        print(json.dumps(answer), flush=True)
    swarm.ending = True
    for client in swarm.clients:
        client.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--stalled", type=float, default=0.0, help="the share that never reads")
    parser.add_argument("--kills", type=float, default=0.0, help="connections cut, a second")
    parser.add_argument("--subscriptions", default=SUBSCRIPTIONS)
    parser.add_argument("--seed", type=int, default=1)
    raise_file_limit()
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
