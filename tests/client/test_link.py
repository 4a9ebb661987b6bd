"""Sessions one after another: where they resume, when they come back, with which token."""

import asyncio
import json
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection

from fastrouter.client import Surroundings, connect
from fastrouter.errors import ConnectionFailed, SubscriptionError
from tests.client.conftest import (
    GAP,
    Clock,
    Naps,
    Script,
    connection_event,
    order,
    quote,
    serving,
    take,
)

# ---- resuming


async def test_the_welcome_of_a_jobs_stream_says_nothing_of_subscriptions(
    surroundings: Surroundings,
):
    welcome = json.dumps({"type": "subscribed", "job_uuid": "j", "message": "m"})
    created = {"type": "job.created", "timestamp": "2025-01-01T00:00:00Z"}
    job = json.dumps({**created, "payload": {"job_id": "j", "status": "pending"}})
    script = Script(([welcome, job], 1011), ([welcome, job], 0))
    async with (
        serving(script) as url,
        connect(f"{url}/jobs/j", dialect="dgbit", surroundings=surroundings) as connection,
    ):
        assert [event.kind for event in await take(connection, 2)] == ["job", "job"]
    assert script.paths == ["/jobs/j", "/jobs/j"]


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "subscribed", "subscriptions": None},
        {"type": "subscribed", "subscriptions": 5},
        {"type": "error", "code": ["x"]},
        {"type": "error", "code": {}},
    ],
)
async def test_odd_answers_do_not_end_the_session(odd: dict[str, object]):
    async def handler(peer: ServerConnection) -> None:
        await peer.send(json.dumps(odd))
        await peer.send(json.dumps({"type": "ping"}))
        assert json.loads(await peer.recv()) == {"type": "pong"}
        await peer.send(order(1))
        await peer.wait_closed()

    async with serving(handler) as url, connect(url, "S:A:quote", reconnect=False) as connection:
        while (await anext(connection)).kind != "order":
            pass


async def test_it_resumes_after_the_highest_id_it_received(surroundings: Surroundings):
    script = Script(
        ([connection_event("CONNECTED"), order(4), quote(9), order(6)], 1011),
        ([order(10), quote(9, snapshot=True), quote(11, seq=10)], 0),
    )
    async with serving(script) as url, connect(url, surroundings=surroundings) as connection:
        events = await take(connection, 7)
    assert script.paths == ["/", "/?since=evt_9"]
    assert [event.id for event in events[1:]] == [4, 9, 6, 10, 9, 11]
    assert events[5].snapshot
    assert (connection.stats.duplicates, connection.stats.gaps) == (0, 0)


async def test_what_waits_in_the_inbox_is_not_asked_for_again(surroundings: Surroundings):
    script = Script(([order(1), order(2), order(3)], 1011), ([order(4)], 0))
    async with serving(script) as url, connect(url, surroundings=surroundings) as connection:
        assert (await anext(connection)).id == 1
        await script.reached(2)
        assert [event.id for event in await take(connection, 3)] == [2, 3, 4]
    assert script.paths[1] == "/?since=evt_3"


async def test_a_duplicate_is_dropped_and_counted(surroundings: Surroundings):
    script = Script(([order(1)], 1011), ([order(2), order(3), order(2), order(3), order(4)], 0))
    async with serving(script) as url, connect(url, surroundings=surroundings) as connection:
        assert [event.id for event in await take(connection, 4)] == [1, 2, 3, 4]
    assert connection.stats.duplicates == 2


async def test_a_server_that_lost_its_journal_swallows_nothing(surroundings: Surroundings):
    script = Script(
        ([order(5000)], 1011),
        ([connection_event("CONNECTED"), GAP, order(1), quote(3, snapshot=True), quote(4)], 1011),
        ([order(5)], 0),
    )
    async with serving(script) as url, connect(url, surroundings=surroundings) as connection:
        events = await take(connection, 7)
        assert connection.last_id == 5
    assert [event.id for event in events] == [5000, 0, 0, 1, 3, 4, 5]
    assert events[2].payload["code"] == "RESUME_GAP"
    assert script.paths == ["/", "/?since=evt_5000", "/?since=evt_4"]
    assert (connection.stats.resume_gaps, connection.stats.duplicates) == (1, 0)


async def test_it_goes_on_where_another_client_stopped():
    script = Script(([order(1), order(2), order(3)], 0), ([order(3)], 0))
    async with serving(script) as url:
        async with connect(url, since=0) as connection:
            assert connection.last_id == 0
            await take(connection, 2)
            stored = connection.last_id
        assert (stored, connection.last_id) == (2, 2)
        async with connect(url, since=f"evt_{stored}") as connection:
            assert (await anext(connection)).id == 3
    assert script.paths == ["/?since=evt_0", "/?since=evt_2"]


async def test_a_batch_that_was_taken_counts_as_taken():
    script = Script(([order(1), quote(7), order(5)], 1000))
    async with serving(script) as url:
        connection = connect(url)
        numbers = []
        while batch := await connection.take():
            numbers += [event.id for event in batch]
            assert connection.last_id == max(numbers)
        assert numbers == [1, 7, 5]
        assert await connection.take() == []


async def test_conflation_goes_by_query_string():
    script = Script(([], 1000))
    async with serving(script) as url:
        assert await connect(url + "/?k=1", conflate="250ms").take() == []
    assert script.paths == ["/?k=1&conflate=250ms"]


# ---- coming back


async def test_a_draining_server_says_when(surroundings: Surroundings, naps: Naps):
    reasons = iter(["draining; retry_after=2.5", "draining", "draining; retry_after=600"])

    async def handler(peer: ServerConnection) -> None:
        reason = next(reasons, None)
        if reason is None:
            await peer.send(quote())
            await peer.wait_closed()
        await peer.close(1001, reason)

    async with serving(handler) as url, connect(url, surroundings=surroundings) as connection:
        await take(connection, 1)
    assert naps.seconds == [2.5, 2.0, 30.0]  # never longer than the backoff's longest


async def test_a_full_server_says_when(surroundings: Surroundings, naps: Naps):
    waits = iter(["7", "600", "tomorrow", "-1", ""])

    def answer(peer: ServerConnection, request: Request) -> Response | None:
        if (wait := next(waits, None)) is None:
            return None
        response = peer.respond(HTTPStatus.SERVICE_UNAVAILABLE, '{"code":"x","message":"full"}')
        response.headers["Retry-After"] = wait
        return response

    async with serving(Script(([quote()], 1000)), process_request=answer) as url:
        await anext(connect(url, surroundings=surroundings))
    assert naps.seconds == [7.0, 30.0, 2.0, 4.0, 8.0]


async def test_a_drain_resets_the_backoff(surroundings: Surroundings, naps: Naps):
    script = Script(([], 1011), ([], 1011), ([], 1001), ([], 1011), ([quote()], 0))
    async with serving(script) as url, connect(url, surroundings=surroundings) as connection:
        await take(connection, 1)
    assert naps.seconds == [2.0, 4.0, 2.0, 4.0]


async def test_the_state_is_told_when_it_changes(surroundings: Surroundings):
    told: list[bool] = []
    answers = iter([None, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE])

    def answer(peer: ServerConnection, request: Request) -> Response | None:
        status = next(answers, None)
        return status and peer.respond(status, "later")

    script = Script(([quote(1)], 1011), ([quote(2)], 0))
    async with (
        serving(script, process_request=answer) as url,
        connect(url, surroundings=surroundings, on_state=told.append) as connection,
    ):
        await take(connection, 2)
        assert told == [True, False, True]
    assert told == [True, False, True]  # nor is our own end a loss


# ---- tokens


class Doorkeeper:
    """Opens to one token, the way a server does that checks it at the handshake."""

    def __init__(self, right: str) -> None:
        self.right = right
        self.shown: list[str | None] = []

    def __call__(self, peer: ServerConnection, request: Request) -> Response | None:
        self.shown.append(request.headers.get("Authorization"))
        if self.shown[-1] == f"Bearer {self.right}":
            return None
        told = {"code": "TOKEN_EXPIRED", "message": "token has expired"}
        return peer.respond(HTTPStatus.UNAUTHORIZED, json.dumps(told))


def fetch(*tokens: str):
    """A coroutine function that returns one after another."""
    left = iter(tokens)

    async def next_token() -> str:
        await asyncio.sleep(0)
        return next(left)

    return next_token


async def test_a_token_that_is_refused_is_final(surroundings: Surroundings):
    door = Doorkeeper("new")
    async with serving(Script(), process_request=door) as url:
        with pytest.raises(ConnectionFailed, match="HTTP 401: token has expired") as caught:
            await anext(connect(url, token="old", surroundings=surroundings))
    assert (caught.value.code, caught.value.http_status) == ("NOT_AUTHENTICATED", 401)
    assert door.shown == ["Bearer old"]


async def test_who_makes_tokens_is_asked_for_another_once(surroundings: Surroundings):
    door = Doorkeeper("new")
    async with serving(Script(([quote()], 1000)), process_request=door) as url:
        await anext(connect(url, token=fetch("old", "new"), surroundings=surroundings))
        with pytest.raises(ConnectionFailed, match="HTTP 401"):
            await anext(connect(url, token=iter("abc").__next__, surroundings=surroundings))
    assert door.shown == ["Bearer old", "Bearer new", "Bearer a", "Bearer b"]


@pytest.mark.parametrize(("seconds", "attempts"), [(60, "abcd"), (0, "ab")])
async def test_a_session_that_held_earns_another_attempt(
    seconds: int, attempts: str, surroundings: Surroundings, clock: Clock
):
    shown = []

    async def handler(peer: ServerConnection) -> None:
        shown.append(peer.request.headers["Authorization"])
        await peer.send(json.dumps({"type": "error", "code": "TOKEN_EXPIRED", "message": "late"}))
        clock.now += seconds
        await peer.close(4401)

    async with serving(handler) as url:
        connection = connect(url, token=iter("abcd").__next__, surroundings=surroundings)
        for event in await take(connection, len(attempts)):
            assert event.payload["code"] == "TOKEN_EXPIRED"
        if attempts == "ab":
            with pytest.raises(ConnectionFailed, match="closed the session with 4401") as caught:
                await anext(connection)
            assert (caught.value.code, caught.value.close_code) == ("NOT_AUTHENTICATED", 4401)
        await connection.aclose()
    assert shown == [f"Bearer {name}" for name in attempts]


async def test_a_string_closed_with_4401_is_final(surroundings: Surroundings):
    async with serving(Script(([], 4401))) as url:
        with pytest.raises(ConnectionFailed, match="4401") as caught:
            await anext(connect(url, token="a", surroundings=surroundings))
    assert caught.value.__cause__ is None


async def test_a_token_that_cannot_be_fetched_now_is_fetched_later(
    surroundings: Surroundings, naps: Naps
):
    attempts = iter([OSError("no route"), "good"])

    def token() -> str:
        if isinstance(found := next(attempts), OSError):
            raise found
        return found

    async with serving(Script(([quote()], 0)), process_request=Doorkeeper("good")) as url:
        await anext(connection := connect(url, token=token, surroundings=surroundings))
        await connection.aclose()
    assert naps.seconds == [2.0]


async def test_a_maker_of_tokens_that_breaks_ends_the_iteration():
    def token() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await anext(connect("ws://127.0.0.1:9", token=token))


async def test_a_new_token_on_the_open_session(surroundings: Surroundings):
    said, shown = [], []

    async def handler(peer: ServerConnection) -> None:
        shown.append(peer.request.headers["Authorization"])
        said.append(json.loads(await peer.recv()))
        await peer.send(json.dumps({"type": "authenticated", "subject": "me", "expires": 9}))
        await peer.close(1011 if len(shown) < 2 else 1000)

    async with serving(handler) as url:
        connection = connect(url, token="a", surroundings=surroundings)
        granted = [await connection.authenticate(token) for token in ("b", "c")]
        assert await connection.take() == []
    assert granted == [{"subject": "me", "expires": 9}] * 2
    assert said == [{"type": "Authenticate", "token": token} for token in ("b", "c")]
    assert shown == ["Bearer a", "Bearer b"]


async def test_a_new_token_that_is_refused():
    answers = iter(["FORBIDDEN", "NOT_AUTHENTICATED"])

    async def handler(peer: ServerConnection) -> None:
        for code in answers:
            await peer.recv()
            await peer.send(json.dumps({"type": "error", "code": code, "message": "no"}))
        await peer.close(4401)

    async with serving(handler) as url:
        connection = connect(url, token="a")
        with pytest.raises(SubscriptionError) as caught:
            await connection.authenticate("another's")
        assert caught.value.code == "FORBIDDEN"
        with pytest.raises(ConnectionFailed, match="4401"):
            await connection.authenticate("old")
        assert (await anext(connection)).payload["code"] == "NOT_AUTHENTICATED"
        await connection.aclose()


# ---- a wrong address


@pytest.mark.parametrize("status", [200, 301, 302, 418])
async def test_no_websocket_endpoint(status: int, surroundings: Surroundings):
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<html>\n  hello\n</html>"
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionFailed, match=f"HTTP {status}") as caught:
            await anext(connect(url, surroundings=surroundings))
    assert ("check the URL" in str(caught.value)) == (status < 400)
    assert caught.value.http_status == status
    assert "\n" not in str(caught.value)
