"""Requests for a session that is refused: at the port of REST, bytes on a socket."""

from __future__ import annotations

import json

import pytest

from fastrouter.session.auth import Verifier

from ...net.wire import HEADERS, KEY, frame
from ...tokens import SECRET, hs256
from .asked import (
    OK,
    PLAIN,
    UPGRADE,
    answer,
    gone,
    welcomed,
)


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/ws?dialect=trading-api", HEADERS, 101),
        ("/ws?dialect=klingon", HEADERS, 400),
        ("/nope", HEADERS, 404),
        ("/ws", HEADERS.replace("Version: 13", "Version: 12"), 426),
        ("/ws", HEADERS.replace(KEY, "short"), 400),
        ("/ws", HEADERS + "Origin: https://evil\r\n", 403),
        ("/ws?token=bad", HEADERS, 401),
        ("/ws?subscriptions=%ff", HEADERS, 400),
        ("/healthz", HEADERS, 200),
    ],
)
async def test_status(serve, connect, target, headers, status):
    allowed = ("https://desk.example",)
    server = await serve({"allowed_origins": allowed, "verifier": Verifier(secret=SECRET)})
    wire = await connect(server)
    wire.send(f"GET {target} HTTP/1.1\r\n{headers}\r\n".encode())
    assert (await wire.response())[0] == status
    if status == 101:
        return
    await wire.end()
    assert server.refusals == ({} if status == 200 else {status: 1})
    await gone(server)


async def test_a_plain_get_of_it(serve, connect):
    wire = await connect(await serve())
    wire.send(b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")
    status, headers = await wire.response()
    assert (status, headers["upgrade"], headers["sec-websocket-version"]) == (
        *(426, "websocket", "13"),
    )
    body = json.loads(await wire.reader.readexactly(int(headers["content-length"])))
    assert body["code"] == "UPGRADE_REQUIRED"


@pytest.mark.parametrize(
    "request_bytes",
    [
        UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        UPGRADE.replace(b"GET", b"POST"),
        UPGRADE.replace(b"GET", b"POST")[:-2] + b"Content-Length: 3\r\n\r\nabc",
        UPGRADE[:-2] + b"Content-Length: 3\r\n\r\nabc",
        UPGRADE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_is_no_websocket_request(serve, connect, caplog, request_bytes):
    server = await serve()
    wire = await connect(server)
    wire.send(PLAIN + request_bytes)
    assert await answer(wire) == OK
    status, body = await answer(wire)
    assert (status, body["code"]) == (400, "BAD_REQUEST")
    assert body["message"].startswith("a WebSocket is asked for by GET")
    await wire.end()
    await wire.bye()
    await gone(server)
    assert not caplog.records


async def test_no_body_is_none(serve, connect):
    wire = await connect(await serve())
    wire.send(UPGRADE[:-2] + b"Content-Length: 0\r\n\r\n")
    await welcomed(wire)


@pytest.mark.parametrize(("size", "status"), [(1000, 101), (1001, 431)])
async def test_the_limit_of_its_head(serve, connect, size, status):
    server = await serve(header_bytes=1000)
    wire = await connect(server)
    filler = b"x" * (size - len(UPGRADE) - len(b"X: \r\n"))
    wire.send(UPGRADE[:-2] + b"X: " + filler + b"\r\n\r\n")
    assert (await wire.response())[0] == status


async def test_the_first_message_may_say_who_it_is(serve, connect):
    wire = await connect(await serve({"verifier": Verifier(secret=SECRET)}))
    say = frame(json.dumps({"type": "Authenticate", "token": hs256()}).encode())
    wire.send(UPGRADE + say)
    await welcomed(wire)
    assert (await wire.message())["type"] == "authenticated"


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET /ws HTTP/1.1\r\nno\r\n\r\n"],
)
async def test_what_is_not_http(serve, connect, caplog, garbage):
    server = await serve()
    wire = await connect(server)
    wire.send(garbage)
    status, refusal = await answer(wire)
    assert (status, refusal["code"]) == (400, "BAD_REQUEST")
    assert refusal["message"].startswith("this is not HTTP: ")
    await wire.end()
    await wire.bye()
    await gone(server)
    assert not caplog.records
    wire = await connect(server)
    wire.send(UPGRADE)
    await welcomed(wire)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 2000,
        b"GET /" + b"x" * 66_000,
        b"GET /" + b"x" * 100_000,
        UPGRADE[:-2] + b"X: " + b"x" * 2000,
    ],
    ids=["header", "target", "long target", "upgrade"],
)
async def test_a_head_that_is_too_long(serve, connect, head, together):
    server = await serve(header_bytes=1000)
    wire = await connect(server)
    if head.startswith(b"GET /x"):
        head += b" HTTP/1.1\r\nHost: x"
    end = b"\r\n\r\n"
    wire.send(PLAIN)
    assert await answer(wire) == OK
    wire.send(head + end * together)
    if head.startswith(UPGRADE[:-2]) and together:  # whoever serves sessions says it
        assert (await wire.response())[0] == 431
    else:
        status, body = await answer(wire)
        assert (status, body["code"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
    await wire.end()
    await wire.bye()
    await gone(server)
