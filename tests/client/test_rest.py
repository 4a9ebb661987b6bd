"""One connection, kept; what is asked again, and what is not."""

import asyncio
import socket

import pytest

from fastrouter.client.rest import ATTEMPTS, Rest
from fastrouter.errors import AuthError, ConnectionFailed, OrderError

from .desk import HANG_UP, Desk, at

PROBLEM = {"code": "RATE", "message": "too many"}


def rest(url, surroundings, token=None) -> Rest:
    return Rest(url, token, surroundings=surroundings)


async def test_requests_share_a_connection_and_keep_their_order(surroundings):
    desk = Desk(*((200, {"n": n}) for n in range(20)))
    async with at(desk) as url:
        line = rest(f"{url}/v1/runs/main/", surroundings, token="t")
        answers = await asyncio.gather(
            *(line.ask("POST", f"/v2/{n}", {"n": n}, {"a": "x y", "b": None}, again=False)
              for n in range(20))
        )  # fmt: skip
        await line.aclose()
    assert answers == [{"n": n} for n in range(20)]
    assert desk.connections == 1
    assert desk.lines == [f"POST /v1/runs/main/v2/{n}?a=x+y" for n in range(20)]
    assert [one.body for one in desk.asked] == [{"n": n} for n in range(20)]
    assert {one.headers["authorization"] for one in desk.asked} == {"Bearer t"}


async def test_a_connection_that_was_closed_meanwhile_is_none_to_send_on(surroundings):
    """A server hangs up on who is idle: that fails nothing, not even what may not be repeated."""
    last = b"HTTP/1.1 200 -\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    desk = Desk((200, 1), last, (200, 2))

    async def hang_up_after_one(reader, writer):
        desk.connections += 1
        await desk.serve(reader, writer)
        writer.close()
        await writer.wait_closed()
        closed.set()

    closed = asyncio.Event()
    async with at(hang_up_after_one) as url:
        line = rest(url, surroundings)
        for said in (1, {}, 2):
            closed.clear()
            assert await line.ask("POST", "/", {}, again=False) == said
            await closed.wait()
        await line.aclose()
    assert desk.connections == 3


async def test_a_lost_answer_is_asked_for_again_where_that_does_no_harm(surroundings, naps):
    desk = Desk(HANG_UP, (503, PROBLEM), (200, [1]), HANG_UP)
    async with at(desk) as url:
        line = rest(url, surroundings)
        assert await line.ask("GET", "/", again=True) == [1]
        with pytest.raises(ConnectionFailed, match=f"cannot reach {url}: "):
            await line.ask("POST", "/", {}, again=False)
        await line.aclose()
    assert desk.lines == ["GET /"] * 3 + ["POST /"]
    assert len(naps.seconds) == 2


async def test_attempts_end(surroundings, naps):
    desk = Desk(*[HANG_UP] * ATTEMPTS, *[(503, PROBLEM)] * ATTEMPTS)
    async with at(desk) as url:
        line = rest(url, surroundings)
        with pytest.raises(ConnectionFailed, match="cannot reach"):
            await line.ask("GET", "/", again=True)
        with pytest.raises(ConnectionFailed, match="HTTP 503: too many") as caught:
            await line.ask("GET", "/", again=True)
        await line.aclose()
    assert (caught.value.code, caught.value.http_status) == ("RATE", 503)
    assert not desk.answers


async def test_nobody_there(surroundings, naps):
    with socket.create_server(("127.0.0.1", 0)) as found:
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
    line = rest(url, surroundings)
    with pytest.raises(ConnectionFailed, match=f"cannot reach {url}: Connection refused"):
        await line.ask("POST", "/", {}, again=False)
    await line.aclose()
    assert len(naps.seconds) == ATTEMPTS - 1  # nobody has heard of it yet


@pytest.mark.parametrize(
    ("status", "said", "kind", "code"),
    [
        (401, {"code": "TOKEN_EXPIRED", "message": "m"}, AuthError, "TOKEN_EXPIRED"),
        (401, None, AuthError, "HTTP_401"),
        (403, {"code": "FORBIDDEN", "message": "m"}, AuthError, "FORBIDDEN"),
        (403, {"code": 40310000, "message": "m"}, OrderError, "40310000"),
        (422, {"code": "INVALID_ORDER", "message": "m"}, OrderError, "INVALID_ORDER"),
        (404, {"code": "ORDER_NOT_FOUND", "message": "m"}, OrderError, "ORDER_NOT_FOUND"),
        (404, "what", ConnectionFailed, "CONNECTION_FAILED"),
        (500, {"code": "INTERNAL", "message": "m"}, ConnectionFailed, "INTERNAL"),
    ],
)
async def test_refusals(status, said, kind, code, surroundings):
    desk = Desk((status, said))
    async with at(desk) as url:
        line = rest(url, surroundings)
        with pytest.raises(kind) as caught:
            await line.ask("GET", "/", again=True)
        await line.aclose()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "without JSON"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "cannot reach"),
    ],
)
async def test_what_is_no_desk(answer, said, surroundings, naps):
    desk = Desk(*[answer] * ATTEMPTS)
    async with at(desk) as url:
        line = rest(url, surroundings)
        with pytest.raises(ConnectionFailed, match=said):
            await line.ask("GET", "/", again=True)
        await line.aclose()


async def test_what_is_no_json_and_no_header(surroundings):
    async with at(Desk()) as url:
        line = rest(url, surroundings)
        with pytest.raises(OrderError, match="not JSON"):
            await line.ask("POST", "/", {"a": b"\xff", 1: 2}, again=True)
        await line.aclose()
        with pytest.raises(ConnectionFailed, match="the token cannot be sent"):
            rest(url, surroundings, token="a\r\nb")


async def test_an_answer_that_does_not_come_in_time(naps, surroundings):
    async def silent(reader, writer):
        await reader.read()

    async with at(silent) as url:
        line = Rest(url, timeout=0.01, surroundings=surroundings)
        with pytest.raises(ConnectionFailed, match=r"no answer within 0\.01 s"):
            await line.ask("GET", "/", again=True)
        await line.aclose()
    assert len(naps.seconds) == ATTEMPTS - 1


async def test_who_gives_up_waiting_does_not_leave_an_answer_to_the_next(surroundings):
    heard = asyncio.Event()
    desk = Desk((200, "mine"))

    async def late(reader, writer):
        if heard.is_set():
            await desk(reader, writer)
            return
        await reader.readuntil(b"\r\n\r\n")
        heard.set()
        await reader.read()

    async with at(late) as url:
        line = rest(url, surroundings)
        asking = asyncio.create_task(line.ask("GET", "/1", again=True))
        await heard.wait()
        asking.cancel()
        assert await line.ask("GET", "/2", again=True) == "mine"
        await line.aclose()
    assert desk.lines == ["GET /2"]


async def test_closing_ends_what_is_under_way(surroundings):
    """Whoever waits for an answer that does not come is not waited for."""
    heard = asyncio.Event()

    async def silent(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        heard.set()
        await reader.read()

    async with at(silent) as url:
        line = rest(url, surroundings)
        asking = asyncio.create_task(line.ask("POST", "/", {}, again=False))
        await heard.wait()
        await line.aclose()
        await line.aclose()
        with pytest.raises(ConnectionFailed):
            await asking
        with pytest.raises(ConnectionFailed, match="closed"):
            await line.ask("GET", "/", again=True)
