"""What an earlier server on the same store left running: marked at its start, ended by the next.

A program of ours ends with us, but not what it has started when we are killed by SIGKILL. So
each has whose it is in its environment, which all inherit that it starts in turn. Who gives a
process an environment without it (``env -i``) has to see to its end.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

__all__ = ["VARIABLE", "Identity", "end_leftovers", "mark"]

logger = logging.getLogger("fastrouter.control")

VARIABLE = "PROXY_OWNER"
PATIENCE = 5.0  # s, for those that were killed to be gone
SHOWN = 200  # characters of a command
PROCESSES = "/proc"

Identity = tuple[int, int]
"""Of the store's file: its device and its number there."""


def mark(store: Identity | None) -> dict[str, str]:
    """What the programs of a server on that store have in their environment.

    Nothing for one in memory: there is no next. They then have the mark that we inherited,
    if any: whoever started us takes them for its own.
    """
    return {} if store is None else {VARIABLE: "{}:{}".format(*store)}


def end_leftovers(store: Identity | None, patience: float = PATIENCE) -> int:
    """SIGKILL whatever has the store's mark; return how many, once they are gone.

    Called while the lock on the store is held, so that whose mark it is runs no more, and before
    a program is started. Spared are we ourselves, whoever started us, and our process group (the
    rest of a pipeline): somebody may start a server by hand out of a strategy. What cannot be read
    is nobody's of ours. Waits for up to `patience` seconds, and logs what is still there then.
    """
    if store is None:
        return 0
    wanted = f"{VARIABLE}={mark(store)[VARIABLE]}".encode()
    until = time.monotonic() + patience
    spared = {*_line(os.getpid())}
    count = 0
    while found := [pid for pid in _marked(wanted) if not _is_spared(pid, spared)]:
        ended = _end(found, wanted, until)
        count += ended
        if not ended or time.monotonic() >= until:
            _tell_of([pid for pid in found if _has(pid, wanted)])
            break  # else once more: one of them may have forked meanwhile
    return count


def _tell_of(left: list[int]) -> None:
    if left:
        logger.error("an earlier server left what does not end: %s", ", ".join(map(str, left)))


def _marked(wanted: bytes) -> Iterator[int]:
    """Processes of our user that have it in their environment."""
    ours = os.geteuid()
    for name in _listed():
        pid = int(name)
        if _user(pid) == ours and _has(pid, wanted):
            yield pid


def _listed() -> list[str]:
    """All that can be seen; nobody where it is not told, or told by other numbers than ours."""
    try:
        if os.readlink(f"{PROCESSES}/self") == str(os.getpid()):
            return [name for name in os.listdir(PROCESSES) if name.isdecimal()]
    except OSError:
        pass
    return []


def _user(pid: int) -> int | None:
    try:
        return os.stat(f"{PROCESSES}/{pid}").st_uid
    except OSError:
        return None


def _has(pid: int, wanted: bytes) -> bool:
    """One that has ended and is waited for has none, nor has who is not for us."""
    try:
        return wanted in _read(pid, "environ").split(b"\0")
    except OSError:
        return False


def _is_spared(pid: int, spared: set[int]) -> bool:
    with suppress(OSError):
        return pid in spared or os.getpgid(pid) == os.getpgrp()
    return True  # gone


def _line(pid: int) -> Iterator[int]:
    """A process, whoever started it, and so on, as far as can be seen."""
    with suppress(OSError):
        while pid > 0:
            yield pid
            _, _, rest = _read(pid, "stat").rpartition(b")")  # a name may have any character
            pid = int(rest.split()[1])


def _end(found: list[int], wanted: bytes, until: float) -> int:
    """Kill them, and wait until they are gone."""
    with ExitStack() as opened:
        poll = select.poll()
        waiting = set()
        for pid in found:
            with suppress(OSError):
                descriptor = os.pidfd_open(pid)
                opened.callback(os.close, descriptor)
                if _has(pid, wanted):  # still: its number is no other's
                    command = _command(pid)
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    logger.warning("ended what an earlier server left: %d, %s", pid, command)
                    poll.register(descriptor, select.POLLIN)
                    waiting.add(descriptor)
        count = len(waiting)
        while waiting and (left := until - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left * 1000):
                poll.unregister(descriptor)
                waiting.discard(descriptor)
        return count


def _command(pid: int) -> str:
    words = _read(pid, "cmdline").rstrip(b"\0").decode(errors="replace").replace("\0", " ")
    return "".join(one if one.isprintable() else " " for one in words[:SHOWN])


def _read(pid: int, name: str) -> bytes:
    with open(f"{PROCESSES}/{pid}/{name}", "rb", 0) as file:
        return file.read()
