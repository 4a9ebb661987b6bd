"""The client against servers of another make, on both event loops."""

import asyncio
import gc
import json
import socket
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection
from websockets.exceptions import ConnectionClosed

from fastrouter.client import Surroundings, connect, link
from fastrouter.core.event import Event, Quote
from fastrouter.errors import ConnectionFailed, SubscriptionError
from tests.client.conftest import Clock, Naps, connection_event, quote, serving, take


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def test_events_are_typed_and_in_order():
    async def handler(peer: ServerConnection) -> None:
        await peer.send(connection_event("CONNECTED"))
        for number in range(1, 4):
            await peer.send(quote(number))
        await peer.wait_closed()

    async with serving(handler) as url, connect(url) as connection:
        welcome, *quotes = await take(connection, 4)
    assert isinstance(welcome, Event)
    assert welcome.kind == "connection"
    assert welcome.payload["event"] == "CONNECTED"
    assert all(isinstance(one, Quote) for one in quotes)
    assert [one.id for one in quotes] == [1, 2, 3]
    assert (quotes[0].symbol, quotes[0].bid, quotes[0].ask) == ("S:AAPL", 150.25, 150.27)
    assert connection.stats.received == 4


async def test_a_bare_iteration_needs_no_context():
    closed = asyncio.Event()

    async def handler(peer: ServerConnection) -> None:
        await peer.send(quote())
        await peer.wait_closed()
        assert peer.close_code == 1000
        closed.set()

    async with serving(handler) as url:
        async for event in connect(url):
            assert isinstance(event, Quote)
            break
        gc.collect()
        await closed.wait()


async def test_subscriptions_go_by_query_string():
    paths = []

    async def handler(peer: ServerConnection) -> None:
        paths.append(peer.request.path)
        await peer.send(quote())
        await peer.wait_closed()

    async with (
        serving(handler) as url,
        connect(url + "/ws?x=1", "S:AAPL:quote,C:*:candle") as connection,
    ):
        await take(connection, 1)
    assert paths == ["/ws?x=1&subscriptions=S:AAPL:quote,C:*:candle"]


async def test_the_token_is_a_bearer():
    headers = []

    async def handler(peer: ServerConnection) -> None:
        headers.append(peer.request.headers["Authorization"])

    async with serving(handler) as url, connect(url, token="abc"):
        pass
    assert headers == ["Bearer abc"]


async def test_a_json_ping_is_answered_and_not_yielded():
    answers = []

    async def handler(peer: ServerConnection) -> None:
        await peer.send('{"type":"ping","timestamp":"2025-01-01T00:00:00Z"}')
        answers.append(json.loads(await peer.recv()))
        await peer.ping()
        await (await peer.ping())
        await peer.send(quote())
        await peer.wait_closed()

    async with serving(handler) as url, connect(url) as connection:
        (event,) = await take(connection, 1)
    assert answers == [{"type": "pong"}]
    assert isinstance(event, Quote)


async def test_fragments_are_joined_around_control_frames():
    async def handler(peer: ServerConnection) -> None:
        text = quote(7)
        await peer.send(iter([text[:10], text[10:50], text[50:]]))

        async def slowly():
            yield text[:20]
            await (await peer.ping())
            yield text[20:]

        await peer.send(slowly())
        await peer.wait_closed()

    async with serving(handler) as url, connect(url) as connection:
        events = await take(connection, 2)
    assert [event.id for event in events] == [7, 7]


async def test_a_malformed_message_is_counted_and_not_fatal():
    async def handler(peer: ServerConnection) -> None:
        for text in ("{", "[]", '{"no":"type"}', b"\xff\xfe"):
            await peer.send(text)
        await peer.send(quote())
        await peer.wait_closed()

    async with serving(handler) as url, connect(url) as connection:
        (event,) = await take(connection, 1)
    assert isinstance(event, Quote)
    assert connection.stats.malformed == 4
    assert connection.stats.received == 1


async def test_gaps_are_counted():
    async def handler(peer: ServerConnection) -> None:
        for number in (1, 2, 5, 6):
            await peer.send(quote(number))
        await peer.wait_closed()

    async with serving(handler) as url, connect(url) as connection:
        await take(connection, 4)
    assert (connection.stats.gaps, connection.stats.missed) == (1, 2)


# ---- acknowledgements


async def test_acks_go_once_per_batch(surroundings: Surroundings):
    acks = []

    async def handler(peer: ServerConnection) -> None:
        for first in (1, 4):
            await peer.send(connection_event("CONNECTED"))  # has no id: not acknowledged
            for number in range(first, first + 3):
                await peer.send(quote(number))
            seen: list[str] = []
            while len(seen) < 3:
                ack = json.loads(await peer.recv())
                seen += ack["events_processed"]
                acks.append(ack)
            assert seen == [f"evt_{number}" for number in range(first, first + 3)]
        await peer.close(1000)

    async with serving(handler) as url:
        connection = connect(url, ack=True, surroundings=surroundings)
        events = [event async for event in connection]
    assert len(events) == 8
    assert len(acks) <= 6
    assert {ack["type"] for ack in acks} == {"event_ack"}
    assert {ack["timestamp"] for ack in acks} == {1_700_000_000_000}
    assert len({ack["correlation_id"] for ack in acks}) == len(acks)


async def test_what_was_taken_is_acknowledged_on_close():
    seen: asyncio.Queue[list[str]] = asyncio.Queue()

    async def handler(peer: ServerConnection) -> None:
        for number in range(1, 4):
            await peer.send(quote(number))
        async for text in peer:
            seen.put_nowait(json.loads(text)["events_processed"])

    async with serving(handler) as url:
        async with connect(url, ack=True) as connection:
            await take(connection, 2)
        acknowledged = await seen.get()
        while len(acknowledged) < 2:
            acknowledged += await seen.get()
    assert acknowledged == ["evt_1", "evt_2"]


async def test_acks_by_hand():
    seen: asyncio.Queue[dict] = asyncio.Queue()

    async def handler(peer: ServerConnection) -> None:
        await peer.send(connection_event("CONNECTED"))
        await peer.send(quote(8))
        await peer.send(quote(9))
        async for text in peer:
            seen.put_nowait(json.loads(text))

    async with serving(handler) as url, connect(url) as connection:
        await connection.ack(*await take(connection, 3))
        assert (await seen.get())["events_processed"] == ["evt_8", "evt_9"]
        await connection.ack()
        assert seen.empty()


# ---- changing subscriptions


def holding(held: list[str]):
    """A handler that keeps a list of subscriptions and says so."""

    async def handler(peer: ServerConnection) -> None:
        async for text in peer:
            message = json.loads(text)
            if any(item.count(":") < 1 for item in message["subscriptions"]):
                answer = {
                    "type": "error",
                    "code": "INVALID_SUBSCRIPTION",
                    "message": "no colon",
                    "timestamp": "2025-01-01T00:00:00.000000Z",
                }
            elif message["type"] == "subscribe":
                held.extend(message["subscriptions"])
                answer = {"type": "subscribed", "subscriptions": held}
            else:
                held[:] = [item for item in held if item not in message["subscriptions"]]
                answer = {"type": "unsubscribed", "subscriptions": held}
            await peer.send(json.dumps(answer))

    return handler


async def test_subscribe_and_unsubscribe_return_what_is_held():
    async with (
        serving(holding(["S:AAPL:quote"])) as url,
        connect(url, "S:AAPL:quote") as connection,
    ):
        held = await connection.subscribe("C:*:candle, S:MSFT:quote", "S:X:quote")
        assert held == ["S:AAPL:quote", "C:*:candle", "S:MSFT:quote", "S:X:quote"]
        assert await connection.unsubscribe("S:AAPL:quote", "S:X:quote") == held[1:3]


async def test_a_refused_subscription_raises_what_the_server_said():
    async with serving(holding([])) as url, connect(url) as connection:
        with pytest.raises(SubscriptionError, match="no colon") as caught:
            await connection.subscribe("nonsense")
        assert caught.value.code == "INVALID_SUBSCRIPTION"
        assert await connection.subscribe("S:A:quote") == ["S:A:quote"]


async def test_an_error_that_answers_nothing_is_an_event():
    async def handler(peer: ServerConnection) -> None:
        error = {"type": "error", "code": "INVALID_MESSAGE", "message": "x"}
        await peer.send(json.dumps({**error, "timestamp": "2025-01-01T00:00:00.000000Z"}))
        await peer.wait_closed()

    async with serving(handler) as url, connect(url) as connection:
        (event,) = await take(connection, 1)
    assert event.kind == "error"
    assert event.payload["code"] == "INVALID_MESSAGE"


async def test_no_answer_is_a_timeout():
    async def handler(peer: ServerConnection) -> None:
        await peer.wait_closed()

    async with serving(handler) as url, connect(url, open_timeout=0.05) as connection:
        with pytest.raises(TimeoutError):
            await connection.subscribe("S:A:quote")


async def test_what_was_changed_survives_a_reconnect(surroundings: Surroundings):
    paths = []
    held = ["S:AAPL:quote"]

    async def handler(peer: ServerConnection) -> None:
        paths.append(peer.request.path)
        if len(paths) == 1:
            await peer.send(quote(1))
            text = json.loads(await peer.recv())
            held.extend(text["subscriptions"])
            await peer.send(json.dumps({"type": "subscribed", "subscriptions": held}))
            await peer.close(1011)
        else:
            await peer.send(quote(2))
            await peer.wait_closed()

    async with (
        serving(handler) as url,
        connect(url, "S:AAPL:quote", surroundings=surroundings) as connection,
    ):
        await take(connection, 1)
        await connection.subscribe("C:*:candle")
        await take(connection, 1)
    assert paths == [
        "/?subscriptions=S:AAPL:quote",
        "/?subscriptions=S:AAPL:quote,C:*:candle&since=evt_1",
    ]
    assert connection.stats.reconnects == 1


async def test_a_request_lost_with_its_session_is_asked_again(surroundings: Surroundings):
    requests = []

    async def handler(peer: ServerConnection) -> None:
        requests.append(json.loads(await peer.recv()))
        if len(requests) == 1:
            peer.transport.abort()
            return
        await peer.send(json.dumps({"type": "subscribed", "subscriptions": ["S:A:quote"]}))
        await peer.wait_closed()

    async with serving(handler) as url, connect(url, surroundings=surroundings) as connection:
        assert await connection.subscribe("S:A:quote") == ["S:A:quote"]
    assert len(requests) == 2


# ---- coming back, or not


@pytest.mark.parametrize("ending", [1006, 1011, 4008, 4408])
async def test_a_lost_session_is_opened_again(ending: int, surroundings: Surroundings, naps: Naps):
    sessions = []

    async def handler(peer: ServerConnection) -> None:
        sessions.append(peer)
        await peer.send(quote(len(sessions)))
        if len(sessions) == 3:
            await peer.wait_closed()
        elif ending == 1006:
            peer.transport.abort()
        else:
            await peer.close(ending)

    async with serving(handler) as url, connect(url, surroundings=surroundings) as connection:
        await take(connection, 3)
    assert connection.stats.reconnects == 2
    assert naps.seconds == [2.0, 4.0]


async def test_a_stable_session_resets_the_backoff(
    surroundings: Surroundings, naps: Naps, clock: Clock
):
    sessions = []

    async def handler(peer: ServerConnection) -> None:
        sessions.append(peer)
        await peer.send(quote(len(sessions)))
        if len(sessions) == 4:
            await peer.wait_closed()
        if len(sessions) == 3:
            clock.now += 60
        await peer.close(1011)

    async with serving(handler) as url, connect(url, surroundings=surroundings) as connection:
        await take(connection, 4)
    assert naps.seconds == [2.0, 4.0, 2.0]


async def test_a_session_that_delivered_resets_it_sooner(
    surroundings: Surroundings, naps: Naps, clock: Clock
):
    async def handler(peer: ServerConnection) -> None:
        await peer.send(quote(1))
        if len(naps.seconds) in (2, 3):  # the fourth said no more than a welcome would
            clock.now += 3
        if len(naps.seconds) == 2:
            await peer.send(quote(2))
        await peer.close(1000 if len(naps.seconds) == 4 else 1011)

    async with serving(handler) as url, connect(url, surroundings=surroundings) as connection:
        assert len(await take(connection, 9)) == 6
    assert naps.seconds == [2.0, 4.0, 2.0, 4.0]


async def test_1000_ends_the_iteration():
    async def handler(peer: ServerConnection) -> None:
        await peer.send(quote())
        await peer.close(1000)

    async with serving(handler) as url:
        assert len([event async for event in connect(url)]) == 1


@pytest.mark.parametrize(
    ("close_code", "code"), [(4401, "NOT_AUTHENTICATED"), (4403, "NOT_ALLOWED"), (1008, "POLICY")]
)
async def test_close_codes_that_forbid_coming_back(close_code: int, code: str):
    async def handler(peer: ServerConnection) -> None:
        await peer.send(quote())
        await peer.close(close_code, "because")

    async with serving(handler) as url:
        connection = connect(url)
        assert len(await take(connection, 1)) == 1
        with pytest.raises(ConnectionFailed, match="because") as caught:
            await anext(connection)
    assert (caught.value.close_code, caught.value.code) == (close_code, code)


@pytest.mark.parametrize("status", [401, 403, 404, 426])
async def test_handshake_answers_that_forbid_coming_back(status: int):
    async def handler(peer: ServerConnection) -> None: ...

    def answer(peer: ServerConnection, request: Request) -> Response:
        return peer.respond(HTTPStatus(status), "no such thing")

    async with serving(handler, process_request=answer) as url:
        with pytest.raises(ConnectionFailed, match=f"HTTP {status}: no such thing") as caught:
            async with connect(url):
                pass
        with pytest.raises(ConnectionFailed):
            await anext(connect(url))
    assert caught.value.http_status == status


async def test_a_busy_server_is_tried_again(surroundings: Surroundings):
    answers = iter([HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS])

    async def handler(peer: ServerConnection) -> None:
        await peer.send(quote())
        await peer.wait_closed()

    def answer(peer: ServerConnection, request: Request) -> Response | None:
        status = next(answers, None)
        return None if status is None else peer.respond(status, "later")

    async with (
        serving(handler, process_request=answer) as url,
        connect(url, surroundings=surroundings) as connection,
    ):
        await take(connection, 1)


async def test_a_refused_connection_is_tried_until_it_is_not(surroundings: Surroundings):
    port = free_port()
    tried = asyncio.Event()

    async def sleep(seconds: float) -> None:
        tried.set()
        await asyncio.sleep(0)

    async def handler(peer: ServerConnection) -> None:
        await peer.send(quote())
        await peer.wait_closed()

    patient = Surroundings(random=lambda: 1.0, sleep=sleep)
    connection = connect(f"ws://127.0.0.1:{port}", surroundings=patient)
    first = asyncio.create_task(anext(connection))
    await tried.wait()
    async with serving(handler, port=port):
        assert isinstance(await first, Quote)
        await connection.aclose()


async def test_a_refused_connection_without_reconnect():
    with pytest.raises(ConnectionFailed, match="cannot connect to ws://127"):
        async with connect(f"ws://127.0.0.1:{free_port()}", reconnect=False):
            pass


@pytest.mark.parametrize("ending", [1000, 1001])
async def test_without_reconnect_a_clean_close_ends_the_iteration(ending: int):
    async def handler(peer: ServerConnection) -> None:
        await peer.close(ending)

    async with serving(handler) as url:
        assert [event async for event in connect(url, reconnect=False)] == []


async def test_without_reconnect_a_lost_session_raises():
    async def handler(peer: ServerConnection) -> None:
        await peer.close(1011, "oops")

    async with serving(handler) as url:
        with pytest.raises(ConnectionFailed, match="1011: oops") as caught:
            await anext(connect(url, reconnect=False))
    assert caught.value.close_code == 1011


async def test_a_server_that_never_answers_the_handshake():
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionFailed, match=r"no answer within 0\.05 s"):
            await anext(connect(url, reconnect=False, open_timeout=0.05))


async def test_a_server_that_is_no_websocket_server():
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionFailed, match="during the handshake"):
            await anext(connect(url, reconnect=False))


# ---- closing


async def test_closing_says_1000():
    codes = []

    async def handler(peer: ServerConnection) -> None:
        await peer.wait_closed()
        codes.append(peer.close_code)

    async with (
        serving(handler) as url,
        connect(url) as connection,
    ):
        await connection.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(connection)
    assert codes == [1000]


async def test_a_cancelled_consumer_leaves_nothing_behind():
    async def handler(peer: ServerConnection) -> None:
        await peer.wait_closed()
        assert peer.close_code == 1000

    async with serving(handler) as url:
        entered = asyncio.Event()

        async def consume() -> None:
            async with connect(url) as connection:
                entered.set()
                async for _ in connection:
                    pass

        before = asyncio.all_tasks()
        consumer = asyncio.create_task(consume())
        await entered.wait()
        consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        clients = [t for t in asyncio.all_tasks() - before if "fastrouter" in t.get_name()]
        assert not clients


async def test_cancelled_while_the_handshake_is_unanswered():
    accepted = asyncio.Event()
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        accepted.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        connection = connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        waiting = asyncio.create_task(anext(connection))
        await accepted.wait()
        waiting.cancel()
        await connection.aclose()
        await gone.wait()


async def test_a_poll_with_a_timeout_loses_nothing():
    go = asyncio.Event()

    async def handler(peer: ServerConnection) -> None:
        await go.wait()
        await peer.send(quote(5))
        await peer.wait_closed()

    async with serving(handler) as url, connect(url) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(connection)
        go.set()
        assert (await anext(connection)).id == 5


async def test_closing_before_anything_was_opened():
    connection = connect("ws://127.0.0.1:1")
    await connection.aclose()
    assert [event async for event in connection] == []


async def test_a_server_that_ignores_our_close_is_left():
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from websockets.utils import accept_key

        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(
            line.split(": ")[1] for line in request.split("\r\n") if "websocket-key" in line.lower()
        )
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        await reader.read()
        writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(url, close_timeout=0.05):
            pass


# ---- a slow consumer


async def test_a_slow_consumer_stops_the_socket():
    """The server's own writes stall once the client, whose inbox is full, reads no more."""
    stalled = asyncio.Event()
    sent = 0

    async def handler(peer: ServerConnection) -> None:
        nonlocal sent
        text = quote(1, padding="x" * 1000)
        try:
            while True:
                try:
                    async with asyncio.timeout(0.5):
                        await peer.send(text)
                except TimeoutError:
                    stalled.set()
                    return
                sent += 1
        except ConnectionClosed:
            pass

    async with serving(handler) as url, connect(url, capacity=16) as connection:
        assert isinstance(await anext(connection), Quote)
        await stalled.wait()
        assert connection.stats.pauses >= 1
        held = connection.stats.received
        assert held < sent
        assert held < 16 + 1024  # the rest of one read buffer at most
        await take(connection, held + 100)
        assert connection.stats.received > held


async def test_a_paused_client_still_shows_signs_of_life(monkeypatch: pytest.MonkeyPatch):
    """It cannot see pings while it does not read, so it says so unasked."""
    monkeypatch.setattr(link, "KEEP_ALIVE_SECONDS", 0.01)
    alive = asyncio.Event()

    async def handler(peer: ServerConnection) -> None:
        for number in range(1, 40):
            await peer.send(quote(number))
        for _ in range(5):
            assert json.loads(await peer.recv()) == {"type": "pong"}
        alive.set()
        await peer.wait_closed()

    async with serving(handler) as url, connect(url, capacity=8) as connection:
        await alive.wait()
        events = await take(connection, 39)
    assert [event.id for event in events] == list(range(1, 40))


async def test_backoff_bounds_that_make_no_sense_end_the_iteration():
    connection = connect("ws://127.0.0.1:9", backoff=(0.0, 1.0))
    with pytest.raises(ValueError, match="0 < first <= last"):
        await anext(connection)
    await connection.aclose()
