"""The JavaScript SDK in a process of node, under remote control."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests import node

MODULE = Path(__file__).parents[2] / "fastrouter" / "client" / "fastrouter.js"
SCRIPTS = Path(__file__).parent / "js"
SECONDS = 20
QUICK = {"reconnectDelay": 10, "maxReconnectDelay": 40}  # ms


class Sdk:
    """``async with Sdk(url, …options) as sdk``: call its methods, await what it tells.

    `flags` are node's own.
    """

    def __init__(self, url: str, *, flags: Sequence[str] = (), **options: Any) -> None:
        script = str(SCRIPTS / "driver.mjs")
        self._arguments = [*flags, script, MODULE.as_uri(), url, json.dumps({**QUICK, **options})]
        self._told: dict[str, deque[Any]] = defaultdict(deque)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Sdk:
        self._process = await asyncio.create_subprocess_exec(
            node.NODE,
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        assert process is not None
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                async with asyncio.timeout(SECONDS):
                    await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()
        assert process.returncode == 0

    def call(self, method: str, *arguments: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([method, *arguments]).encode() + b"\n")

    async def told(self, what: str) -> Any:
        """The next value of that kind."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while not self._told[what]:
                line = await self._process.stdout.readline()
                assert line, f"it ended without telling {what!r}; it told {dict(self._told)}"
                kind, *value = json.loads(line)
                self._told[kind].append(value[0] if value else None)
        return self._told[what].popleft()

    async def message(self, kind: str) -> dict[str, Any]:
        """The next message of that type."""
        while (message := await self.told("message"))["type"] != kind:
            pass
        return message
