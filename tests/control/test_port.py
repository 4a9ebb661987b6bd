"""A real port, on the loop of the test."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fastrouter.control.api import build
from fastrouter.control.guard import Guard
from fastrouter.control.port import Port
from fastrouter.errors import ConfigError

from .fakes import FakeSessions


@pytest.fixture
def app():
    return build(FakeSessions(), CollectorRegistry(), Guard(None, lambda: 0.0))


async def test_it_serves_until_closed(app, capfd):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    port = await Port.open(app, "127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=port.url, trust_env=False) as http:
        answer = await http.get("/healthz")
        assert answer.json() == {"status": "ok"}
        assert "server" not in answer.headers
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    await port.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port.port)
    assert capfd.readouterr() == ("", "")


async def test_a_taken_port_is_named(app):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{number}: ") as caught:
            await Port.open(app, "127.0.0.1", number)
    assert caught.value.code == "ADDRESS_UNAVAILABLE"


async def test_an_address_that_is_not_ours(app):
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1:0"):
        await Port.open(app, "192.0.2.1", 0)


async def test_one_that_talks_for_ever_does_not_hold_the_end(app):
    port = await Port.open(app, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", port.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost:")
    await asyncio.sleep(0)
    await port.close()
    writer.close()


def test_an_ipv6_url():
    port = object.__new__(Port)
    port.host, port.port = "::1", 9082
    assert port.url == "http://[::1]:9082"


@pytest.mark.parametrize("sent", [b"", b"GET /metrics HTTP/1.1\r\nX"], ids=["silence", "half"])
async def test_a_request_that_is_never_whole_is_cut(app, monkeypatch, sent):
    monkeypatch.setattr("fastrouter.control.port.REQUEST_SECONDS", 0.05)
    port = await Port.open(app, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    writer.write(sent)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    await port.close()


async def test_there_are_never_more_connections_than_so_many(app, monkeypatch):
    monkeypatch.setattr("fastrouter.control.port.MOST", 2)
    port = await Port.open(app, "127.0.0.1", 0)
    held = [await asyncio.open_connection("127.0.0.1", port.port) for _ in range(2)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    for _, line in (*held, (reader, writer)):
        line.close()
    async with httpx.AsyncClient(base_url=port.url, trust_env=False) as http:
        answer = None
        while answer is None:  # until those are gone
            with contextlib.suppress(httpx.TransportError):
                answer = await http.get("/healthz")
        assert answer.status_code == 200
    await port.close()
