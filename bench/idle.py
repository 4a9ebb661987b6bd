"""Idle sessions: how long thousands take to connect, and what each keeps resident.

Resident memory is that of the server process, from /proc, before the first and after the last
session, divided by their number; what the kernel holds for a socket is not in it.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .child import Child, ChildFailed, raise_file_limit
from .measure import (
    FASTROUTER,
    GENERATOR_CPU,
    SERVER_CPU,
    SUBJECTS,
    Case,
    Subject,
    compile_all,
    free_port,
    generator_command,
)
from .toolchain import CompilerMissing

AIM_KIB, AIM_CONNECT_S = 18.0, 20.0


@dataclass(frozen=True)
class Idle:
    """What ``sessions`` idle sessions of one subject cost."""

    subject: str
    sessions: int
    connect_s: float
    before_kib: float
    after_kib: float

    @property
    def session_kib(self) -> float:
        return (self.after_kib - self.before_kib) / self.sessions


def measure_idle(subject: Subject, sessions: int, programs: Path, hold: float) -> Idle:
    """Connect ``sessions``, hold them ``hold`` seconds, weigh the server."""
    case = Case(sessions)
    with Child(subject.command(case, programs, free_port()), cpu=SERVER_CPU) as server:
        port = int(server.hear_word("PORT"))
        before = server.resident()
        command = [*generator_command(programs, port, case), "--idle"]
        with Child(command, cpu=GENERATOR_CPU) as generator:
            ready = json.loads(generator.hear_word("READY", 120))
            time.sleep(hold)
            after = server.resident()
            generator.tell("EXPECT 0")
            closed = generator.hear_json()["closed"]
    if closed:
        raise ChildFailed(f"{subject.name} closed {closed} idle sessions")
    return Idle(subject.name, sessions, ready["connect_s"], before / 1024, after / 1024)


def _print(found: Sequence[Idle]) -> None:
    for idle in found:
        print(
            f"{idle.subject}: {idle.sessions:,} sessions in {idle.connect_s:.2f} s, "
            f"{idle.session_kib:.1f} KiB resident each"
        )
        if idle.subject == FASTROUTER and idle.sessions >= 1000:
            memory, connect = idle.session_kib <= AIM_KIB, idle.connect_s < AIM_CONNECT_S
            print(f"{'holds ' if memory else 'MISSES'}  at most {AIM_KIB:g} KiB a session")
            print(f"{'holds ' if connect else 'MISSES'}  connected in under {AIM_CONNECT_S:g} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when all sessions were held, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="fastrouter bench idle", description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--subjects", default=FASTROUTER, help=", ".join(SUBJECTS))
    parser.add_argument("--hold", type=float, default=2.0, help="seconds before the weighing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    limit = raise_file_limit()
    if options.sessions + 64 > limit:
        parser.error(f"--sessions {options.sessions}: the limit of open files is {limit}")
    try:
        with tempfile.TemporaryDirectory(prefix="fastrouter-bench-") as directory:
            programs = compile_all(Path(directory))
            found = [
                measure_idle(SUBJECTS[name], options.sessions, programs, options.hold)
                for name in options.subjects.split(",")
            ]
    except (CompilerMissing, ChildFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([asdict(idle) | {"session_kib": idle.session_kib} for idle in found]))
    else:
        _print(found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
