"""One measurement: a server, its load generator, and what arrived."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .child import Child
from .toolchain import compile_program

WINDOW = 64
SYMBOLS = 200
PER_SESSION = 10
SERVER_CPU, GENERATOR_CPU = 0, 1


@dataclass(frozen=True)
class Case:
    """``rate`` quotes a second over 200 symbols, 10 a session; 0: one symbol, broadcast."""

    sessions: int
    rate: int = 0
    stall: int = 0

    @property
    def name(self) -> str:
        return "B" if self.rate else "A"

    @property
    def label(self) -> str:
        stalled = f", {self.stall} stalled" if self.stall else ""
        if self.rate:
            return f"B {self.sessions:,} sessions, {self.rate:,} quotes/s{stalled}"
        return f"A {self.sessions:,} sessions{stalled}"

    @property
    def symbols(self) -> int:
        return SYMBOLS if self.rate else 1

    @property
    def per_session(self) -> int:
        return PER_SESSION if self.rate else 1

    @property
    def wanted(self) -> float:
        """Deliveries a second the pace asks for; 0 in the broadcast case."""
        return self.rate * (self.sessions - self.stall) * PER_SESSION / SYMBOLS


@dataclass(frozen=True)
class Subject:
    """A server under test: its name and the command that starts it."""

    name: str
    command: Callable[["Case", Path, int], list[str]]
    """Called with the case, the directory of the C programs and a free port."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds, and the histogram in microseconds as (lowest value of the slot, count)."""

    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    slots: list[tuple[int, int]]


@dataclass(frozen=True)
class Run:
    """One subject in one case, once."""

    subject: str
    case: Case
    deliveries: int
    seconds: float
    rate: float
    cpu_per_million: float
    server_cpu: float
    generator_cpu: float
    others_cpu: float
    """CPUs that the rest of the machine kept busy meanwhile, the hypervisor's theft included."""
    latency: Latency
    latency_due: Latency
    connect_s: float
    faults: dict[str, int]
    """Only what is not zero: missing, gaps, skipped, duplicates, malformed, foreign, closed."""


def _floor(mode: str) -> Callable[[Case, Path, int], list[str]]:
    def command(case: Case, programs: Path, _port: int) -> list[str]:
        return [
            str(programs / "floor"),
            *("--mode", mode, "--window", str(WINDOW), "--batch", str(WINDOW)),
            *("--symbols", str(case.symbols), "--rate", str(case.rate)),
        ]

    return command


def _python(module: str, *more: str) -> Callable[[Case, Path, int], list[str]]:
    def command(case: Case, _programs: Path, port: int) -> list[str]:
        return [
            # -P: the folder we stand in must not hide the installed package
            *(sys.executable, "-P", "-m", f"fastrouter.bench.{module}", "--port", str(port)),
            *("--window", str(WINDOW)),
            *("--symbols", str(case.symbols), "--rate", str(case.rate)),
            *more,
        ]

    return command


ONE_SEND, COALESCED, FASTROUTER = "floor one-send", "floor coalesced", "fastrouter"
SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject(ONE_SEND, _floor("one-send")),
        Subject(COALESCED, _floor("coalesced")),
        Subject(FASTROUTER, _python("subject")),
        Subject(f"{FASTROUTER} botcore", _python("subject", "--dialect", "botcore")),
        Subject("picows", _python("peer_picows")),
    )
}

FAULTS = ("missing", "gaps", "skipped", "duplicates", "malformed", "foreign", "closed")


def compile_all(directory: Path) -> Path:
    """Compile the load generator and the floors; returns ``directory``."""
    for name in ("loadgen", "floor"):
        compile_program(name, directory)
    return directory


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def generator_command(programs: Path, port: int, case: Case) -> list[str]:
    return [
        str(programs / "loadgen"),
        *("--port", str(port), "--sessions", str(case.sessions), "--stall", str(case.stall)),
        *("--symbols", str(case.symbols), "--per-session", str(case.per_session)),
    ]


def _latency(histogram: dict[str, Any]) -> Latency:
    marks = {name: histogram[name] / 1e3 for name in ("p50", "p90", "p99", "p999", "max")}
    return Latency(**marks, slots=[(low, count) for low, count in histogram["slots"]])


def busy_seconds() -> float:
    """CPU seconds of the whole machine that were not idle, since boot."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = (
            int(word) for word in stat.readline().split()[1:9]
        )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _phase(server: Child, generator: Child, seconds: float) -> tuple[dict[str, Any], ...]:
    """Publish for a while and wait until everything has arrived."""
    server.tell(f"RUN {seconds}")
    ran = server.hear_json(60 + 30 * seconds)
    generator.tell(f"EXPECT {ran['published']}")
    return ran, generator.hear_json(60 + 30 * seconds)


def _session(
    subject: Subject, case: Case, server: Child, generator: Child, lengths: Sequence[float]
) -> Run:
    connect_s = float(json.loads(generator.hear_word("READY", 120))["connect_s"])
    warm_up, length = lengths
    _phase(server, generator, warm_up)
    generator.tell("RESET")
    before, busy = time.monotonic(), busy_seconds()
    ran, got = _phase(server, generator, length)
    elapsed, busy = time.monotonic() - before, busy_seconds() - busy
    server.tell("CPU")
    cpu = server.hear_json()["cpu"] - ran["cpu"]
    seconds = max(got["finished"] - ran["started"], 1e-9)
    return Run(
        subject=subject.name,
        case=case,
        deliveries=got["deliveries"],
        seconds=seconds,
        rate=got["deliveries"] / seconds,
        cpu_per_million=cpu / max(got["deliveries"], 1) * 1e6,
        server_cpu=cpu / seconds,
        generator_cpu=got["cpu"] / seconds,
        others_cpu=max(0.0, busy - cpu - got["cpu"]) / elapsed,
        latency=_latency(got["latency"]),
        latency_due=_latency(got["latency_due"]),
        connect_s=connect_s,
        faults={name: got[name] for name in FAULTS if got[name]},
    )


def measure(subject: Subject, case: Case, programs: Path, seconds: float) -> Run:
    """Run one subject in one case. Raises ChildFailed when a process dies or hangs."""
    credit = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    flow = [] if case.rate else ["--credit-fd", str(credit)]
    pass_fds = [] if case.rate else [credit]
    port = free_port()
    try:
        command = [*subject.command(case, programs, port), *flow]
        with Child(command, cpu=SERVER_CPU, pass_fds=pass_fds) as server:
            port = int(server.hear_word("PORT"))
            command = [*generator_command(programs, port, case), *flow]
            with Child(command, cpu=GENERATOR_CPU, pass_fds=pass_fds) as generator:
                return _session(subject, case, server, generator, (min(0.5, seconds / 4), seconds))
    finally:
        os.close(credit)
