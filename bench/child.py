"""A process of the bench that is spoken to line by line."""

import json
import os
import resource
import select
import subprocess
import time
from collections.abc import Iterable, Sequence
from typing import Any, Self

PATIENCE = 30.0


class ChildFailed(RuntimeError):
    """A process of the bench died or fell silent."""


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Child:
    """Starts ``command``, pinned to ``cpu`` when the machine has it to spare.

    The caller owes a ``close()``, or uses it as a context manager.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cpu: int | None = None,
        pass_fds: Iterable[int] = (),
        stderr: int | None = None,
    ) -> None:
        self.name = os.path.basename(command[0])
        self._text = b""
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            pass_fds=tuple(pass_fds),
        )
        allowed = sorted(os.sched_getaffinity(0))
        if cpu is not None and len(allowed) >= 2:
            os.sched_setaffinity(self.pid, {allowed[cpu]})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, line: str) -> None:
        """Send one command."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise ChildFailed(f"{self.name} died before {line!r}") from None

    def signal(self, number: int) -> None:
        """Send a signal; SIGKILL is a crash."""
        self._process.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """How it ended. Raises ChildFailed when it has not after ``patience`` seconds."""
        try:
            return self._process.wait(patience)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"{self.name} has not ended in {patience:.0f} s") from None

    def hear(self, patience: float = PATIENCE) -> str:
        """The next line of its output. Raises ChildFailed after ``patience`` seconds or its end."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        end = time.monotonic() + patience
        while b"\n" not in self._text:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise ChildFailed(f"{self.name} said nothing for {patience:.0f} s")
            news = os.read(descriptor, 1 << 16)
            if not news:
                raise ChildFailed(f"{self.name} exited with {self._process.wait()}")
            self._text += news
        line, _, self._text = self._text.partition(b"\n")
        return line.decode()

    def hear_word(self, word: str, patience: float = PATIENCE) -> str:
        """The rest of the next line, which must begin with ``word``."""
        line = self.hear(patience)
        first, _, rest = line.partition(" ")
        if first != word:
            raise ChildFailed(f"{self.name} said {line!r}, not {word}")
        return rest

    def hear_json(self, patience: float = PATIENCE) -> dict[str, Any]:
        """The next line as a JSON object."""
        answer: dict[str, Any] = json.loads(self.hear(patience))
        return answer

    def resident(self) -> int:
        """Resident bytes now, from /proc."""
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()

    def cpu_seconds(self) -> float:
        """Of all its threads so far, from /proc."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End its input, on which it leaves; kill it when it does not."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
