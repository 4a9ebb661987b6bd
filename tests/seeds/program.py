"""The customer's clients, as their documents show them, each in a process of its own.

`clients/` holds their code unmodified, but for indentation that the documents
have lost. All that is changed to run it is the host and port it names.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import node

CLIENTS = Path(__file__).parent / "clients"
SECONDS = 30


def client(name: str, ports: Mapping[int, int] | None = None) -> str:
    """The code of a client; `ports` says where the ports that it names are found."""
    text = (CLIENTS / name).read_text()
    for theirs, ours in (ports or {}).items():
        text = re.sub(rf"\blocalhost:{theirs}\b", f"127.0.0.1:{ours}", text)
    return text


class Program:
    """``async with Program.python(code) as program``: what it prints, line by line.

    It is killed at the end, as none of the clients ends by itself.
    """

    def __init__(self, *command: str) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self.printed: list[str] = []

    @classmethod
    def python(cls, code: str) -> Self:
        return cls(sys.executable, "-X", "utf8", "-u", "-c", code)

    @classmethod
    def node(cls, code: str) -> Self:
        """Its undefined names are what `code` before it put on `globalThis`."""
        return cls(node.NODE, "-e", code)

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1 << 20,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        process = self._process
        assert process is not None
        if process.returncode is None:
            process.kill()
        await process.communicate()

    async def line(self) -> str:
        """The next line, without its end; what goes wrong is printed, too."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            data = await self._process.stdout.readline()
        assert data, f"it has ended; it printed {self.printed}"
        self.printed.append(data.decode().rstrip("\n"))
        return self.printed[-1]

    async def lines(self, count: int) -> list[str]:
        return [await self.line() for _ in range(count)]

    async def until(self, text: str) -> str:
        """The next line that has `text` in it."""
        while text not in await self.line():
            pass
        return self.printed[-1]
