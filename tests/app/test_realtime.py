"""Scheduling in real time: a process of its own is, and what it starts is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent

import pytest

from fastrouter import app
from fastrouter.app import realtime
from fastrouter.errors import ConfigError

from .visit import Visitor, settings

PROGRAM = dedent("""
    import json, os, subprocess, sys, threading
    from fastrouter.app import realtime

    def policy(thread):
        return os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK

    def work(ready, end):
        ready.set()
        end.wait()

    def begin():
        ready, end = threading.Event(), threading.Event()
        thread = threading.Thread(target=work, args=(ready, end))
        thread.start()
        ready.wait()
        return thread, end

    before = begin()
    realtime.take()
    after = begin()
    told = [policy(0), *(policy(thread.native_id) for thread, _ in (before, after))]
    for thread, end in (before, after):
        end.set()
        thread.join()
    child = "import os; print(os.sched_getscheduler(0))"
    told.append(int(subprocess.check_output([sys.executable, "-I", "-S", "-c", child])))
    print(json.dumps(told))
""")


@pytest.fixture
def permitted() -> None:
    """Skips where nobody may."""
    code = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"
    if subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode:
        pytest.skip("no real-time scheduling here: needs CAP_SYS_NICE or ulimit -r")


def test_each_thread_there_is_comes_first_and_nothing_that_begins_later(permitted):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    main, before, after, child = json.loads(run.stdout)
    assert (main, before) == (os.SCHED_RR, os.SCHED_RR)
    assert (after, child) == (os.SCHED_OTHER, os.SCHED_OTHER)


def test_who_asks_for_it_is_told_that_it_is_not_permitted(monkeypatch):
    def refuse(thread: int, policy: int, parameter: os.sched_param) -> None:
        raise PermissionError

    monkeypatch.setattr(realtime.os, "sched_setscheduler", refuse)
    with pytest.raises(ConfigError, match=r"^server\.realtime: .* CAP_SYS_NICE"):
        app.serve(settings(server__realtime=True))


@pytest.mark.parametrize("wanted", [True, False])
def test_a_server_asks_for_it_when_it_should(monkeypatch, wanted):
    taken = []
    monkeypatch.setattr(realtime, "take", lambda: taken.append(True))
    assert app.serve(settings(server__realtime=wanted), ready=Visitor())
    assert taken == [True] * wanted
