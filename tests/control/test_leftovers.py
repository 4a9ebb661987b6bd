"""Real processes, some of which an earlier server has left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from fastrouter.control.child import Child, Log
from fastrouter.control.leftovers import VARIABLE, end_leftovers, mark

from ..net.wire import until

STORE = (7, os.getpid())
PATH = {"PATH": os.environ["PATH"]}

#: ends what is left of the store, and says how many
END = f"from fastrouter.control.leftovers import end_leftovers; print(end_leftovers({STORE}))"


def sleeper(store: tuple[int, int] | None = STORE, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", "sleep 600 & wait"],
        env={**PATH, **mark(store)},
        start_new_session=True,
        **more,  # type: ignore[call-overload]
    )


@pytest.fixture
def kept() -> Iterator[list[subprocess.Popen[bytes]]]:
    """They are ended after the test, with their groups."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def marked() -> list[int]:
    """Processes with the store's mark, by another's word."""
    text = f"{VARIABLE}={STORE[0]}:{STORE[1]}".encode()
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if text in file.read():
                    found.append(int(name))
        except OSError:
            pass
    return found


def test_the_marked_end_with_their_children_and_others_do_not(kept, caplog):
    other = (STORE[0], STORE[1] * 10 + 1)  # whose mark begins as ours does
    kept += [sleeper(), sleeper(), sleeper(other), sleeper(None)]
    while len(marked()) < 6:  # of ours, and of the one that begins so
        pass
    assert end_leftovers(STORE) == 4
    assert [one.wait() for one in kept[:2]] == [-signal.SIGKILL] * 2
    assert [one.poll() for one in kept[2:]] == [None, None]
    told = [one.getMessage() for one in caplog.records]
    assert len(told) == 4
    assert f"ended what an earlier server left: {kept[0].pid}, /bin/sh -c sleep 600 & wait" in told
    assert end_leftovers(STORE) == 0


def test_of_a_store_in_memory_there_are_none(kept):
    kept.append(sleeper())
    assert mark(None) == {}
    assert end_leftovers(None) == 0
    assert kept[0].poll() is None


def said(kept: list, script: str) -> str:
    """What a shell of a session of its own, marked as ours, prints; $0 is Python."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", script, sys.executable],
        env={**PATH, **mark(STORE)},
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    kept.append(process)
    out, _ = process.communicate()
    return out


def test_neither_we_nor_whoever_started_us(kept):
    """A server in a pipeline in a strategy's shell; what is left elsewhere is ended."""
    kept.append(sleeper())
    while len(marked()) < 2:
        pass
    script = f'"$0" -c "{END}" | cat; echo alive'
    assert said(kept, script) == "2\nalive\n"


def test_an_ancestor_in_another_session(kept):
    script = f'setsid -w "$0" -c "{END}"; echo alive'
    assert said(kept, script) == "0\nalive\n"


def test_where_processes_have_other_numbers_nobody_is_ended(kept, monkeypatch, tmp_path):
    kept.append(sleeper())
    monkeypatch.setattr("fastrouter.control.leftovers.PROCESSES", str(tmp_path))
    assert end_leftovers(STORE) == 0
    (tmp_path / "self").symlink_to("1")
    (tmp_path / str(kept[0].pid)).symlink_to(f"/proc/{kept[0].pid}")
    assert end_leftovers(STORE) == 0
    assert kept[0].poll() is None


async def test_one_that_left_its_group():
    """A program's end is that of its group alone."""
    child = await Child.start(
        ["/bin/sh", "-c", "setsid sleep 600 & wait"], {**PATH, **mark(STORE)}, Log(None)
    )
    await until(lambda: len({os.getsid(pid) for pid in marked()}) == 2)
    child.kill()
    assert await child.wait() == -signal.SIGKILL
    assert await asyncio.to_thread(end_leftovers, STORE) == 1
    assert not marked()
