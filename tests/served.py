"""`fastrouter serve` in a process of its own, with every endpoint at a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import Any, Self

import httpx

SECONDS = 60

#: the port of the documents -> the setting that moves it
SETTINGS = {
    8082: "FASTROUTER_SERVER__PORT",
    8080: "FASTROUTER_PORTS__REST",
    8000: "FASTROUTER_PORTS__AI",
    3001: "FASTROUTER_PORTS__MARKET",
    3002: "FASTROUTER_PORTS__RISK",
}


NO_STORE = {"FASTROUTER_STORE__PATH": "off"}


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        listening = [
            held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [one.getsockname()[1] for one in listening]


class Served:
    """``with Served(…) as server``: running until the block ends; `restart` keeps its ports.

    `arguments` are those of the command, `environment` is added to this one;
    `ports` says where the ports of the documents shall be found.
    """

    def __init__(
        self, *arguments: str, ports: dict[int, int] | None = None, **environment: str
    ) -> None:
        self._command = [sys.executable, "-W", "error", "-m", "fastrouter.cli", "serve", *arguments]
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self.ports = ports or dict(zip(SETTINGS, free_ports(len(SETTINGS)), strict=True))

    def url(self, port: int, path: str = "/ws", scheme: str = "ws") -> str:
        """The URL of a document's endpoint."""
        return f"{scheme}://127.0.0.1:{self.ports[port]}{path}"

    def publish(self, kind: str, payload: dict[str, Any]) -> None:
        """From outside, as anybody would."""
        event = {"kind": kind, "payload": payload}
        answer = httpx.post(self.url(8080, "/v1/events", "http"), json=event)
        assert answer.is_success, answer.text

    def start(self) -> None:
        """Return once all endpoints accept."""
        ports = {SETTINGS[theirs]: str(ours) for theirs, ours in self.ports.items()}
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **NO_STORE, **ports, "COLUMNS": "200", **self._environment},
        )
        assert self._process.stdout is not None
        told = ""
        while "stop it" not in told:
            line = self._process.stdout.readline()
            assert line, told
            told += line

    def stop(self) -> str:
        """Drain, and return what it logged."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        log, _ = self._process.communicate(timeout=SECONDS)
        assert self._process.returncode == 0, log
        return log

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """By SIGKILL: it can do nothing about it."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate(timeout=SECONDS)

    def restart(self) -> None:
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()
