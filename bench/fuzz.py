"""Fuzz the whole inbound path over real sockets, a healthy session beside it.

What is sent are sessions, or HTTP, to a port that speaks both (``--kind rest``). Every
connection's script comes from the seed and its index, so that a failure repeats with
``--seed S --only INDEX``. A run fails when the server dies or writes an error to its log, when an
answer breaks the rules, when a connection neither ends nor is well, when the healthy session
misses an event, when a connection is still counted at the end, or a new one is not served, or
when memory or descriptors grow.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from . import inputs, requests
from .answers import HUNG, BadAnswer, judge, judge_http
from .child import Child, ChildFailed

TARGET = (sys.executable, "-m", "fastrouter.bench.target")
RATES = ("--orders", "20", "--quotes", "200")  # replays keep what they decode: few orders
BATCH = 50  # connections a worker runs before it reports
INPUTS = 20  # of a connection, about
PATIENCE = 20.0  # s for a connection to end
WARM_UP = 0.25  # of the inputs
TROUBLE = re.compile(rb"Traceback|ERROR|Sanitizer|runtime error|exception", re.IGNORECASE)


class Kind(NamedTuple):
    """Of what a run sends; `judge` raises BadAnswer."""

    script: Callable[[int, int, int], inputs.Script]
    judge: Callable[[bytes, inputs.Script], str]
    hello: inputs.Script  # what is well served afterwards
    server: tuple[str, ...] = ()  # options of the target


KINDS = {
    "sessions": Kind(
        inputs.script, lambda answer, script: judge(answer, script.legal), inputs.HELLO
    ),
    "rest": Kind(
        requests.script,
        lambda answer, script: judge_http(answer, script.statuses),
        requests.HELLO,
        ("--rest",),
    ),
}


class Outcome(NamedTuple):
    """How one connection went."""

    script: int  # its index
    inputs: int
    ended: str
    fault: str | None


# ------------------------------------------------------------------- one connection


def connection(kind: str, port: int, seed: int, index: int) -> Outcome:
    """Run one script and judge the answers."""
    script = KINDS[kind].script(seed, index, INPUTS)
    return attempt(KINDS[kind], port, script)._replace(script=index)


def attempt(kind: Kind, port: int, script: inputs.Script) -> Outcome:
    answer = bytearray()
    try:
        exchange(port, script, answer)
        ended, fault = kind.judge(bytes(answer), script), None
    except (BadAnswer, OSError) as error:
        ended, fault = "fault", f"{type(error).__name__}: {error}"
    return Outcome(0, script.inputs, ended, fault)


def exchange(port: int, script: inputs.Script, answer: bytearray) -> None:
    """Send all and take what comes back, until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = threading.Thread(target=drain, args=(sock, answer, script.legal))
        reader.start() if len(script.data) > 1 << 16 else None
        at = 0
        try:
            for cut in script.cuts:
                sock.sendall(script.data[at:cut])
                at = cut
            if not script.legal:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it hung up already: what it said is what counts
        if reader.ident is None:
            drain(sock, answer, script.legal)
        else:
            reader.join()


def drain(sock: socket.socket, answer: bytearray, legal: bool) -> None:
    """Read to the end, or to the answer to the sentinel."""
    try:
        while news := sock.recv(1 << 16):
            answer += news
            if legal and inputs.SENTINEL in answer[-len(news) - 20 :]:
                return
    except ConnectionError:
        answer += b""
    except TimeoutError:
        answer += HUNG


def batch(work: tuple[str, int, int, int, int]) -> list[Outcome]:
    """Run the connections of one worker's turn."""
    kind, port, seed, start, stop = work
    return [connection(kind, port, seed, index) for index in range(start, stop)]


# ------------------------------------------------------------------ the healthy one


class Watcher(threading.Thread):
    """A session that reads all the while; `fault` says which event it missed."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.fault: str | None = None
        self.last = 0
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        head = inputs.HANDSHAKE[0].format(target="/ws?subscriptions=S:*:order")
        self.sock.sendall(inputs.lines([head, *inputs.HANDSHAKE[1:]]))

    def run(self) -> None:
        text = b""
        try:
            while news := self.sock.recv(1 << 16):
                text = self._read(text + news)
            self.fault = self.fault or "hung up"
        except OSError as error:
            self.fault = self.fault or str(error)

    def _read(self, text: bytes) -> bytes:
        """Check the numbers of what is whole; the rest comes back."""
        *whole, rest = text.split(b'"number":')
        if not whole:
            return text
        parts = [*whole[1:], rest]
        for part in parts[:-1]:
            self._number(part)
        end = re.match(rb"(\d+)[^\d]", parts[-1]) if parts else None
        if end:
            self._number(parts[-1])
            return b""
        return b'"number":' + parts[-1] if parts else text[-20:]

    def _number(self, part: bytes) -> None:
        found = re.match(rb"\d+", part)
        assert found is not None
        number = int(found[0])
        if self.last and number != self.last + 1:
            self.fault = self.fault or f"event {number} came after {self.last}"
        self.last = number

    def close(self) -> None:
        """Hang up."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.join()
        self.sock.close()

    def pong(self) -> None:
        """Stay alive: answer the server's heartbeat."""
        self.sock.sendall(inputs.frame(b'{"type":"pong"}', inputs.TEXT))


# -------------------------------------------------------------------------- the run


class Found(NamedTuple):
    """What a run showed."""

    connections: int
    inputs: int
    seconds: float
    ended: Counter[str]
    faults: list[str]
    resident: tuple[int, int]
    descriptors: tuple[int, int]
    watched: int


def run(kind: str, seed: int, total: int, workers: int, growth: int, log: IO[bytes]) -> Found:
    """Send at least `total` inputs; memory may grow by `growth` bytes."""
    command = (*TARGET, *RATES, *KINDS[kind].server)
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool, Child(command, stderr=log.fileno()) as server:
        port = int(server.hear_word("PORT", 60))
        watcher = Watcher(port)
        watcher.start()
        began = time.monotonic()
        server.tell("START")
        server.hear()
        descriptors = settle(server)["descriptors"]
        ended: Counter[str] = Counter()
        faults: list[str] = []
        sent = connections = warm = 0
        again = f"--kind {kind} --seed {seed} --only"
        jobs = ((kind, port, seed, start, start + BATCH) for start in range(0, 1 << 40, BATCH))
        for outcomes in take(pool, jobs, workers):
            for outcome in outcomes:
                connections += 1
                sent += outcome.inputs
                ended[outcome.ended] += 1
                if outcome.fault:
                    faults.append(f"{again} {outcome.script}: {outcome.fault}")
            watcher.pong()
            if not warm and sent >= WARM_UP * total:
                warm = server.resident()
            if sent >= total or len(faults) > 20:
                break
        seconds = time.monotonic() - began
        last = settle(server, descriptors)
        faults += afterwards(server, watcher, last, descriptors)
        if fault := attempt(KINDS[kind], port, KINDS[kind].hello).fault:
            faults.append(f"a new connection: {fault}")
        watcher.close()
        resident = (warm, server.resident())
    if resident[1] - resident[0] > growth:
        faults.append(f"resident memory grew from {resident[0]} to {resident[1]} bytes")
    log.seek(0)
    faults += [f"log: {line.decode()[:200]}" for line in log if TROUBLE.search(line)]
    return Found(connections, sent, seconds, ended, faults, resident,
                 (descriptors, last["descriptors"]), watcher.last)  # fmt: skip


def take(pool: Any, jobs: Iterator[Any], workers: int) -> Iterator[list[Outcome]]:
    """Results as they come, never more than two batches a worker ahead."""
    waiting = [pool.apply_async(batch, (next(jobs),)) for _ in range(2 * workers)]
    while True:
        first = waiting.pop(0)
        waiting.append(pool.apply_async(batch, (next(jobs),)))
        yield first.get()


def ask(server: Child) -> dict[str, Any]:
    server.tell("STATS")
    return server.hear_json()


def settle(server: Child, descriptors: int = 0) -> dict[str, Any]:
    """The server's figures once nobody but the watcher is connected."""
    end = time.monotonic() + PATIENCE
    while True:
        state = ask(server)
        well = state["connections"] == 1 and state["descriptors"] <= (descriptors or 1 << 20)
        if well or time.monotonic() > end:
            return state
        time.sleep(0.05)


def afterwards(
    server: Child, watcher: Watcher, last: dict[str, Any], descriptors: int
) -> list[str]:
    """What is wrong once the storm is over."""
    faults = [
        f"{last[what]} {what} are left, not 1"
        for what in ("sessions", "connections")
        if last[what] != 1
    ]
    if last["descriptors"] > descriptors:
        faults.append(f"descriptors went from {descriptors} to {last['descriptors']}")
    end = time.monotonic() + PATIENCE
    while watcher.last < last["number"] and not watcher.fault and time.monotonic() < end:
        time.sleep(0.05)
    if watcher.fault or watcher.last < last["number"]:
        faults.append(f"the healthy session: {watcher.fault}, {watcher.last} of {last['number']}")
    return faults


def repeat(kind: str, seed: int, index: int, log: IO[bytes]) -> int:
    """Run one connection alone and print all of it."""
    script = KINDS[kind].script(seed, index, INPUTS)
    with Child([*TARGET, *KINDS[kind].server], stderr=log.fileno()) as server:
        port = int(server.hear_word("PORT", 60))
        answer = bytearray()
        exchange(port, script, answer)
        outcome = connection(kind, port, seed, index)
    print(f"sent {script.data!r}\ncut at {script.cuts}\nanswered {bytes(answer)!r}\n{outcome}")
    log.seek(0)
    print(log.read().decode())
    return 1 if outcome.fault else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fuzzer; 0 when nothing broke, 1 with what did, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="fastrouter bench fuzz", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="sessions", help="what is sent")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument(
        "--growth", type=int, default=8, help="MiB of memory allowed; sanitizers keep what is freed"
    )
    parser.add_argument("--only", type=int, help="repeat the connection of this index")
    parser.add_argument("--log", type=Path, help="keep the server's log here")
    options = parser.parse_args(arguments)
    try:
        with open(options.log, "w+b") if options.log else tempfile.TemporaryFile() as log:
            if options.only is not None:
                return repeat(options.kind, options.seed, options.only, log)
            found = run(options.kind, options.seed, options.inputs, options.workers,
                        options.growth << 20, log)  # fmt: skip
    except ChildFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"{found.inputs:,} inputs in {found.connections:,} connections, {found.seconds:.0f} s; "
        f"the healthy session saw {found.watched:,} events in order"
    )
    print("ended: " + ", ".join(f"{how} {n:,}" for how, n in found.ended.most_common()))
    print(f"resident {found.resident[0] >> 10:,} -> {found.resident[1] >> 10:,} KiB, "
          f"descriptors {found.descriptors[0]} -> {found.descriptors[1]}")  # fmt: skip
    for fault in found.faults:
        print(f"FAULT  {fault}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
