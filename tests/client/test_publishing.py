"""Events to a router by HTTP: against the real routes, and against servers that are no router."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from fastapi import FastAPI

import fastrouter
from fastrouter.client.publishing import publish_events
from fastrouter.control.guard import Guard
from fastrouter.control.intake import intake
from fastrouter.control.port import Port
from fastrouter.control.problem import answer_problems
from fastrouter.embed import Router
from fastrouter.errors import AuthError, ConnectionFailed, EventError

from ..control.fakes import FakeVerifier

SIGNAL = {"kind": "signal", "payload": {"id": "s-1", "symbol": "S:A", "action": "BUY"}}


@asynccontextmanager
async def rest(verifier: FakeVerifier | None = None) -> AsyncIterator[tuple[Router, str]]:
    app, router = FastAPI(), Router()
    answer_problems(app)
    app.include_router(intake(router, Guard(verifier, lambda: 0.0, ("publish",))))
    port = await Port.open(app, "127.0.0.1", 0)
    try:
        yield router, port.url
    finally:
        await port.close()


async def publish(*args: Any, **kwargs: Any) -> list[str]:
    return await asyncio.to_thread(publish_events, *args, **kwargs)


async def test_one_and_several(monkeypatch):
    async with rest() as (router, url):
        assert await publish(SIGNAL, url=url) == ["evt_1"]
        assert await publish((SIGNAL for _ in range(3)), url=url + "/") == [
            *("evt_2", "evt_3", "evt_4")
        ]
        monkeypatch.setenv("PROXY_REST_URL", url)
        assert await publish([]) == []
        assert router.counters().events["signal"] == 4
    assert fastrouter.publish_events is publish_events


async def test_tokens(monkeypatch):
    async with rest(FakeVerifier()) as (_, url):
        assert await publish(SIGNAL, url=url, token="publish") == ["evt_1"]
        monkeypatch.setenv("PROXY_TOKEN", "publish")
        with pytest.raises(AuthError) as caught:  # it is for another address
            await publish(SIGNAL, url=url)
        assert caught.value.code == "NOT_AUTHENTICATED"
        with pytest.raises(AuthError, match="'publish' is not true"):
            await publish(SIGNAL, url=url, token="user")
        monkeypatch.setenv("PROXY_REST_URL", url)
        assert await publish(SIGNAL) == ["evt_2"]


async def test_who_stands_before_the_host_is_nobody_here():
    """As in `fastrouter.trading`: the router knows tokens only."""
    async with rest() as (_, url):
        assert await publish(SIGNAL, url=url.replace("//", "//user:secret@")) == ["evt_1"]


async def test_what_the_router_does_not_take():
    async with rest() as (router, url):
        with pytest.raises(EventError, match=r"^event 1: kind is 'x'; allowed: ") as caught:
            await publish([SIGNAL, {"kind": "x", "payload": {}}], url=url)
        assert caught.value.code == "INVALID_EVENT"
        with pytest.raises(EventError, match="1001 events; allowed: 1000"):
            await publish([SIGNAL] * 1001, url=url)
        assert router.last_id == 0


async def test_a_proxy_is_not_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with rest() as (_, url):
        assert await publish(SIGNAL, url=url) == ["evt_1"]
        with pytest.raises(ConnectionFailed, match="Connection refused"):  # by the proxy
            await publish(SIGNAL, url="http://router.invalid")


def test_what_is_no_json():
    with pytest.raises(EventError, match="not JSON"):
        publish_events({"kind": object()})


@pytest.mark.parametrize(
    "url", ["", "h", "ws://h", "http://", "http://h:0", "http://h:x", "http://h?q", "http://h/a b"]
)
def test_a_url_that_is_none(url, monkeypatch):
    monkeypatch.setenv("PROXY_REST_URL", "ftp://h")
    with pytest.raises(ConnectionFailed) as caught:
        publish_events(SIGNAL, url=url)
    assert caught.value.code == "INVALID_URL"


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as found:
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
    with pytest.raises(ConnectionFailed, match=f"cannot publish to {url}: Connection refused"):
        publish_events(SIGNAL, url=url)


@contextmanager
def stranger(answer: bytes) -> Iterator[str]:
    """A server that answers every request with the same bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def response(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


@pytest.mark.parametrize(
    ("answer", "said", "status"),
    [
        (b"", "cannot publish to ", None),
        (b"SSH-2.0-OpenSSH\r\n", "cannot publish to ", None),
        (response("200 OK", b"hello"), "is no router", None),
        (response("200 OK", b'{"ids":1}'), "is no router", None),
        (response("404 Not Found", b"no"), "HTTP 404 Not Found", 404),
        (response("502 Bad Gateway", b"<html>"), "HTTP 502 Bad Gateway", 502),
        (response("422 No", b"[]"), "HTTP 422 No", 422),
        (
            response("500 Internal Server Error", b'{"code":"X","message":"see the log"}'),
            *("see the log", 500),
        ),
    ],
)
def test_who_is_no_router(answer: bytes, said: str, status: int | None):
    with stranger(answer) as url, pytest.raises(ConnectionFailed, match=said) as caught:
        publish_events(SIGNAL, url=url)
    assert caught.value.http_status == status
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary"])
def test_the_token_goes_nowhere_else(status: str):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        port = elsewhere.getsockname()[1]
        answer = f"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:{port}/\r\n\r\n".encode()
        with stranger(answer) as url, pytest.raises(ConnectionFailed, match=status):
            publish_events(SIGNAL, url=url, token="secret", timeout=1)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


def test_a_token_that_cannot_be_a_header():
    with pytest.raises(ConnectionFailed):
        publish_events(SIGNAL, url="http://127.0.0.1:1", token="a\r\nX: b")
