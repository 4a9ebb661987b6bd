"""Real processes, on both event loops: everything that they may do to us."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import uvloop

from fastrouter.control.child import Child, Log, how

from ..net.wire import until

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


def python(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-u", "-c", dedent(program)]


def shell(program: str) -> list[str]:
    return ["/bin/sh", "-c", program]


async def started(command: list[str], log: Log | None = None) -> Child:
    return await Child.start(command, ENVIRONMENT, log or Log(None))


async def said(child: Child, line: str) -> None:
    await until(lambda: line in child.log.tail(1000))


def alive(pid: int) -> bool:
    """Is it there, and no zombie?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_it_lets_others_go_first():
    before = os.nice(0)
    log = Log(None)
    child = await Child.start(python("import os; print(os.nice(0))"), ENVIRONMENT, log, 3)
    assert await child.wait() == 0
    assert log.tail(1) == [str(before + 3)]
    assert os.nice(0) == before


class TestEnd:
    async def test_all_that_it_wrote_is_there(self):
        child = await started(shell("echo out; echo err >&2; printf rest; exit 3"))
        assert await child.wait() == child.returncode == 3
        assert child.log.tail(10) == ["out", "err", "rest"]
        assert await child.wait() == 3
        assert await child.stop(0) == 3

    async def test_more_than_a_pipe_holds(self):
        child = await started(shell("seq 100000"))
        assert await child.wait() == 0
        assert child.log.tail(2) == ["99999", "100000"]

    async def test_several_wait(self):
        child = await started(shell("while :; do :; done"))
        codes = await asyncio.gather(*(child.wait() for _ in range(3)), child.stop(60))
        assert codes == [-signal.SIGTERM] * 4

    async def test_who_waits_no_longer_takes_nothing_from_others(self):
        child = await started(shell("trap 'echo bye; exit 4' TERM; echo up; while :; do :; done"))
        await said(child, "up")
        waiting = asyncio.create_task(child.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await child.stop(60) == 4
        assert child.log.tail(1) == ["bye"]

    async def test_it_has_no_terminal_no_input_and_our_environment_alone(self):
        child = await Child.start(shell("read x; echo $? $A; tty"), {"A": "b"}, Log(None))
        await child.wait()
        assert child.log.tail(2) == ["1 b", "not a tty"]

    async def test_nothing_is_left_open(self):
        child = await started(shell("exit 0"))
        await child.wait()
        before = descriptors()
        for _ in range(5):
            child = await started(shell("echo x"))
            await child.wait()
            with pytest.raises(OSError, match="nowhere"):
                await started(["/nowhere/to/be/found"])
        await until(lambda: descriptors() <= before)


class TestStart:
    @pytest.mark.parametrize("name", ["/no/such/program", "no-such-program"])
    async def test_a_program_that_is_not_there(self, name):
        with pytest.raises(FileNotFoundError, match=name):
            await started([name, "x"])

    async def test_a_file_that_is_no_program(self, tmp_path):
        (tmp_path / "text").write_text("hello")
        with pytest.raises(PermissionError):
            await started([str(tmp_path / "text")])
        (tmp_path / "text").chmod(0o700)
        with pytest.raises(OSError, match="Exec format"):
            await started([str(tmp_path / "text")])

    async def test_a_zero_byte(self):
        with pytest.raises(OSError, match="null"):
            await started(["/bin/sh", "-c", "echo \0"])


class TestStop:
    async def test_who_hears_has_time(self):
        child = await started(shell("trap 'echo bye; exit 4' TERM; echo up; while :; do :; done"))
        await said(child, "up")
        assert await child.stop(60) == 4
        assert child.log.tail(1) == ["bye"]

    async def test_who_does_not_hear_is_killed(self):
        child = await started(shell("trap '' TERM; echo up; while :; do :; done"))
        await said(child, "up")
        assert await child.stop(0.05) == -signal.SIGKILL

    async def test_its_group_ends_with_it(self):
        child = await started(shell("sh -c 'trap \"\" TERM; echo $$; while :; do :; done' & wait"))
        await until(lambda: child.log.tail(1))
        grandchild = int(child.log.tail(1)[0])
        assert await child.stop(60) == -signal.SIGTERM
        await until(lambda: not alive(grandchild))

    async def test_who_is_killed_by_another(self):
        child = await started(shell("echo up; while :; do :; done"))
        await said(child, "up")
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        assert how(-signal.SIGKILL) == "signal 9 (SIGKILL)"


class TestGrandchild:
    async def test_one_that_left_the_group_and_holds_the_pipe(self):
        """Its parent's end is the end; nobody waits for the pipe."""
        child = await started(
            python(
                """
                import os, signal
                if os.fork() == 0:
                    os.setsid()
                    print(os.getpid(), flush=True)
                    signal.pause()
                os.read(0, 1)
                """
            )
        )
        await until(lambda: child.log.tail(1))
        grandchild = int(child.log.tail(1)[0])
        try:
            assert await child.wait() == 0
            assert alive(grandchild)
        finally:
            os.kill(grandchild, signal.SIGKILL)

    async def test_one_in_the_group(self):
        child = await started(shell("sh -c 'echo $$; while :; do :; done' & sleep 0.05; exit 5"))
        assert await child.wait() == 5
        grandchild = int(child.log.tail(1)[0])
        await until(lambda: not alive(grandchild))


class TestFlood:
    async def test_garbage(self):
        child = await started(python("import os; os.write(1, bytes(range(256)) * 100 + b'\\nend')"))
        assert await child.wait() == 0
        assert child.log.tail(1) == ["end"]

    async def test_a_hundred_megabytes_without_a_newline(self, tmp_path):
        log = Log(tmp_path / "log", most=1 << 20)
        child = await started(shell("head -c 100000000 /dev/zero; echo; echo end"), log)
        assert await child.wait() == 0
        log.close()
        assert log.tail(1) == ["end"]
        assert sum(map(len, log.lines)) < 10_000
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 << 20

    async def test_who_writes_without_end_can_be_stopped(self):
        child = await started(["yes"])
        await until(lambda: len(child.log.lines) == 1000)
        assert await child.stop(60) == -signal.SIGTERM


PARENT = """
import asyncio, sys
import uvloop
from fastrouter.control.child import Child, Log

async def main():
    child = await Child.start(["sh", "-c", "while :; do sleep 1; done"], {"PATH": "/bin:/usr/bin"},
                              Log(None))
    print(child.pid, flush=True)
    await child.wait()

with asyncio.Runner(loop_factory=getattr(sys.modules[sys.argv[1]], "new_event_loop")) as runner:
    runner.run(main())
"""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_it_dies_with_us(loop):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, loop], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        parent.wait()
        while alive(pid):
            pass


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit status 0"), (3, "exit status 3"), (-15, "signal 15 (SIGTERM)"), (-60, "signal 60")],
)
def test_how_it_ended(code, words):
    assert how(code) == words


@pytest.mark.parametrize(("call", "nth"), [("pipe", 2), ("pidfd_open", 1)])
async def test_without_descriptors_nothing_runs_and_nothing_is_left(monkeypatch, call, nth):
    real, calls = getattr(os, call), []

    def refuse(*arguments):
        calls.append(arguments)
        if len(calls) == nth:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(*arguments)

    before = descriptors()
    pids = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *args, **more: pids.append(popen(*args, **more)) or pids[-1]
    )
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(OSError, match="Too many open files"):
        await started(shell("sleep 1000"))
    monkeypatch.undo()
    assert descriptors() == before
    assert not any(alive(process.pid) for process in pids)
