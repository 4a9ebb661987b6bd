"""``fastrouter publish``: what it sends, and how it fails; the routes behind it are real."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fastrouter.commands import app as commands
from fastrouter.commands import publish as command

from ..client.test_publishing import rest
from ..control.test_intake import listen

COMMAND = [sys.executable, "-W", "error", "-m", "fastrouter.cli", "publish"]
ORDER = {"id": "o-1", "symbol": "S:A"}


class Shell:
    """Runs the command against a router of ours."""

    def __init__(self, router: Any, url: str) -> None:
        self.url = url
        self.received = listen(router, "order", "quote")
        self.router = router

    async def run(self, *arguments: str, stdin: bytes = b"", **environment: str) -> Result:
        return await asyncio.to_thread(
            CliRunner().invoke,
            *(commands, ["publish", *arguments]),
            input=stdin,
            env={"PROXY_REST_URL": self.url, **environment},
        )

    def orders(self) -> list[dict[str, Any]]:
        while self.router.flush():
            pass
        return [one["order"] for one in self.received if one["type"] == "order"]


@pytest.fixture
async def shell() -> AsyncIterator[Shell]:
    async with rest() as (router, url):
        yield Shell(router, url)


def lines(*payloads: Any) -> str:
    return "".join(json.dumps(one) + "\n" for one in payloads)


async def test_an_argument(shell):
    done = await shell.run("order", json.dumps(ORDER))
    assert (done.exit_code, done.output) == (0, "evt_1\n")
    assert shell.orders() == [ORDER]


async def test_what_stands_beside_the_payload(shell):
    done = await shell.run(
        *("order", json.dumps(ORDER), "--symbol", "S:B", "--account", "ada"),
        *("--time", "2025-01-01T00:00:00Z", "--url", shell.url),
    )
    assert done.exit_code == 0, done.output
    shell.orders()
    assert shell.received[0]["timestamp"] == "2025-01-01T00:00:00.000000Z"


async def test_a_file_of_lines(shell, tmp_path):
    orders = [{**ORDER, "id": f"o-{n}"} for n in range(1200)]
    file = tmp_path / "orders.jsonl"
    file.write_text("\n" + lines(*orders).replace("\n", "\r\n\n").rstrip())
    done = await shell.run("order", f"@{file}")
    assert done.exit_code == 0, done.output
    assert done.output.split() == [f"evt_{n + 1}" for n in range(1200)]
    assert shell.orders() == orders


async def test_lines_are_published_as_they_come(shell):
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "quote", "-", "--url", shell.url, stdin=pipe, stdout=pipe
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for number in (1, 2, 3):
        process.stdin.write(lines({"symbol": "S:A", "bid": number, "ask": 9}).encode())
        assert await process.stdout.readline() == b"evt_%d\n" % number
    process.stdin.write(b'{"symbol":"S:A","bid":4,"ask":9}')
    process.stdin.close()
    assert await process.stdout.read() == b"evt_4\n"
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("coffee", "{}"), "INVALID_EVENT: 'coffee' is no kind of event; allowed: quote, candle"),
        (("order", "{"), "INVALID_EVENT: the payload is not JSON: "),
        (("order", "[]"), "INVALID_EVENT: payload is []"),
        (("order", '{"id":"1"}'), "INVALID_EVENT: order: 'symbol' is missing"),
        (("order", "@/nowhere"), "INPUT_FAILED: /nowhere cannot be read: No such file"),
        (("order", "{}", "--time", "noon"), "INVALID_EVENT: time: 'noon' is not a time"),
        (("order", "{}", "--url", "h"), "INVALID_URL: 'h' is not a router's REST URL"),
        (("order", "{}", "--url", "http://127.0.0.1:1"), "CONNECTION_FAILED: cannot publish to"),
    ],
)
async def test_what_goes_wrong_is_a_line_and_status_1(shell, arguments, said):
    done = await shell.run(*arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert shell.router.last_id == 0


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "line 4: the payload is not JSON: "),
        ('{"id":"x"}', "line 4: order: 'symbol' is missing"),
    ],
)
async def test_a_line_that_cannot_be_published_is_named(shell, tmp_path: Path, bad, said):
    file = tmp_path / "orders.jsonl"
    file.write_text(lines(ORDER) + "\n" + lines(ORDER) + bad + "\n" + lines(ORDER))
    done = await shell.run("order", f"@{file}")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"INVALID_EVENT: {said}")
    assert shell.router.last_id == 0


async def test_requests_stay_within_what_a_router_takes(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "MOST_BYTES", 100_000)
    orders = [{**ORDER, "reason": "x" * 30_000, "id": f"o-{n}"} for n in range(20)]
    file = tmp_path / "orders.jsonl"
    file.write_text(lines(*orders))
    done = await shell.run("order", f"@{file}")
    assert done.exit_code == 0, done.output
    assert [one["id"] for one in shell.orders()] == [f"o-{n}" for n in range(20)]


async def test_a_token_from_the_environment_is_sent():
    from ..control.fakes import FakeVerifier

    async with rest(FakeVerifier()) as (router, url):
        shell = Shell(router, url)
        assert (await shell.run("order", json.dumps(ORDER))).stderr.startswith("NOT_AUTHENTICATED")
        done = await shell.run("order", json.dumps(ORDER), PROXY_TOKEN="publish")
        assert done.output == "evt_1\n"
