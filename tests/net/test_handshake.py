"""Who gets in, from outside: tokens, origins, limits, and what the refused are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time

import pytest

from fastrouter import Quote
from fastrouter.errors import ConfigError
from fastrouter.session.auth import Verifier

from ..payloads import order
from ..tokens import SECRET, forged, hs256
from .wire import HEADERS, KEY, Wire, frame, until

VERIFIER = Verifier(secret=SECRET)
EXPIRED = hs256(exp=1)
NONE = forged({"alg": "none"}, {"sub": "eve"})


async def refused(server, target: str = "/ws", headers: str = "") -> tuple[int, dict, dict]:
    """Status, headers and body of a refusal; the line is cut behind it."""
    wire = await Wire.open(server.port, target, HEADERS + headers)
    status, answer = await wire.response()
    body = json.loads(await wire.reader.readexactly(int(answer["content-length"])))
    await wire.end()
    await wire.bye()
    return status, answer, body


async def gone(server) -> None:
    """Every connection is forgotten, in all and by its address."""
    await until(lambda: not server.crowd.connections)
    assert server.crowd.of("127.0.0.1") == 0


class TestToken:
    @pytest.mark.parametrize(
        ("target", "headers"),
        [
            ("/ws", f"Authorization: Bearer {hs256()}\r\n"),
            ("/ws", f"authorization: bEARER  {hs256()}\r\n"),
            (f"/ws?token={hs256()}", ""),
            ("/ws?token=bad", f"Authorization: Bearer {hs256()}\r\n"),  # the header counts
        ],
    )
    async def test_a_good_one_is_live_at_once(self, serve, router, target, headers):
        server = await serve(verifier=VERIFIER)
        wire = await Wire.open(server.port, target, HEADERS + headers)
        assert (await wire.response())[0] == 101
        assert (await wire.message())["event"] == "CONNECTED"
        router.publish(Quote("S:A", bid=1, ask=2))
        assert (await wire.message())["type"] == "quote"
        await wire.bye()
        await gone(server)

    @pytest.mark.parametrize(
        ("target", "headers", "code"),
        [
            ("/ws?token=", "", "NOT_AUTHENTICATED"),
            ("/ws?token=bad", "", "NOT_AUTHENTICATED"),
            (f"/ws?token={NONE}", "", "NOT_AUTHENTICATED"),
            (f"/ws?token={EXPIRED}", "", "TOKEN_EXPIRED"),
            ("/ws", f"Authorization: Bearer {EXPIRED}\r\n", "TOKEN_EXPIRED"),
            ("/ws", "Authorization: Basic YTpi\r\n", "NOT_AUTHENTICATED"),
            ("/ws", "Authorization: Bearer\r\n", "NOT_AUTHENTICATED"),
            (f"/ws?token={hs256()}", "Authorization: Bearer \xff\r\n", "NOT_AUTHENTICATED"),
        ],
    )
    async def test_a_bad_one_is_401(self, serve, caplog, target, headers, code):
        server = await serve(verifier=VERIFIER)
        caplog.set_level(logging.INFO, "fastrouter.net")
        status, answer, body = await refused(server, target, headers)
        assert f"refused 127.0.0.1: {code} {body['message']}" in caplog.messages
        assert (status, body["code"]) == (401, code)
        assert answer["www-authenticate"].startswith("Bearer")
        assert server.refusals == {401: 1}
        await gone(server)

    async def test_the_first_message(self, serve, router):
        server = await serve(verifier=VERIFIER)
        wire = await Wire.session(server.port, "/ws?subscriptions=S:A:quote")
        router.publish(Quote("S:A", bid=1, ask=2))
        wire.say({"type": "Authenticate", "token": hs256()})
        answer = await wire.message()
        assert (answer["type"], answer["subject"]) == ("authenticated", "ada")
        assert (await wire.message())["snapshot"] is True
        await wire.bye()

    @pytest.mark.parametrize("message", [{"type": "pong"}, {"type": "Authenticate", "token": NONE}])
    async def test_another_first_message_is_4401(self, serve, message):
        server = await serve(verifier=VERIFIER)
        wire = await Wire.session(server.port)
        wire.say(message)
        assert (await wire.message())["code"] == "NOT_AUTHENTICATED"
        assert (await wire.closed())[0] == 4401
        await wire.bye()
        await gone(server)
        assert server.closes == {4401: 1}

    async def test_silence_is_4401(self, serve):
        server = await serve(verifier=VERIFIER, auth_seconds=0.05)
        wire = await Wire.session(server.port)
        assert (await wire.message())["code"] == "NOT_AUTHENTICATED"
        assert (await wire.closed())[0] == 4401
        await wire.bye()

    async def test_expiry_is_4401(self, serve):
        server = await serve(verifier=VERIFIER)
        wire = await Wire.session(server.port, f"/ws?token={hs256(exp=time.time() + 0.3)}")
        assert (await wire.message())["code"] == "TOKEN_EXPIRED"
        assert (await wire.closed())[0] == 4401
        await wire.bye()

    async def test_account_events_reach_only_their_accounts(self, serve, router):
        server = await serve(verifier=VERIFIER)
        mine = await Wire.session(server.port, f"/ws?token={hs256(accounts=['a', 'b'])}")
        router.publish("order", order(1, account_id="c"))
        router.publish("order", order(2, account_id="b"))
        assert (await mine.message())["order"]["id"] == "2"
        await mine.bye()

    async def test_no_token_in_any_log_line(self, serve, caplog):
        caplog.set_level(logging.DEBUG)
        server = await serve(verifier=VERIFIER)
        good, bad = hs256(), hs256(b"y" * 32)
        await refused(server, f"/ws?token={bad}")
        await refused(server, "/ws", f"Authorization: Bearer {bad}\r\n")
        for target, headers in (
            (f"/ws?token={good}", ""),
            ("/ws", f"Authorization: Bearer {good}\r\n"),
        ):
            wire = await Wire.open(server.port, target, HEADERS + headers)
            await wire.response()
            wire.say({"type": "Authenticate", "token": bad})
            assert (await wire.message())["type"] == "connection"
            assert (await wire.closed())[0] == 4401
            await wire.bye()
        await gone(server)
        assert "4401" in caplog.text
        assert "Authorization" not in caplog.text
        for token in (good, bad):
            assert not any(part in caplog.text for part in token.split(".")[1:])

    async def test_with_auth_off_tokens_do_not_matter(self, serve, open_session):
        await open_session(await serve(), "/ws?token=bad")


class TestMalformed:
    @pytest.mark.parametrize(
        "head",
        [b"", b"nonsense", b"POST /ws HTTP/1.1", b"GET /ws HTTP/1.0", b"GET /ws HTTP/1.1\r\nno"],
    )
    async def test_what_picows_refuses_is_counted(self, serve, head):
        server = await serve()
        for piece in (head + b"\r\n\r\n", head + b"\r\n\r\nand more"):
            wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
            wire.send(piece)
            assert (await wire.response())[0] == 400
            await wire.bye()
        await gone(server)
        assert server.refusals == {400: 2}
        assert server.unfinished == 0

    @pytest.mark.parametrize("key", ["", "x", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ!=", "\xff"])
    async def test_a_key(self, serve, key):
        server = await serve()
        wire = await Wire.open(server.port, "/ws", HEADERS.replace(KEY, key))
        status, answer = await wire.response()
        body = json.loads(await wire.reader.readexactly(int(answer["content-length"])))
        assert (status, body["code"]) == (400, "BAD_REQUEST")
        assert "Sec-WebSocket-Key" in body["message"]
        assert server.refusals == {400: 1}
        await wire.bye()


class TestOrigin:
    @pytest.mark.parametrize(
        ("origin", "status"),
        [("", 101), ("Origin: https://desk.example\r\n", 101), ("Origin: https://evil\r\n", 403)],
    )
    async def test_allowed(self, serve, origin, status):
        server = await serve(allowed_origins=("https://desk.example",))
        wire = await Wire.open(server.port, "/ws", HEADERS + origin)
        assert (await wire.response())[0] == status
        await wire.bye()


class TestCrowd:
    async def test_too_many_in_all_is_503(self, serve, open_session):
        server = await serve(connections=2)
        first = await Wire.session(server.port)
        second = await open_session(server)
        status, _, body = await refused(server)
        assert (status, body["code"]) == (503, "SERVICE_UNAVAILABLE")
        await first.bye()
        await until(lambda: server.crowd.connections == 1)
        await open_session(server)
        second.say({"type": "pong"})

    async def test_half_open_ones_count(self, serve, open_session):
        server = await serve(connections=1)
        half = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        half.send(b"GET /ws HT")
        await until(lambda: server.crowd.connections)
        assert (await refused(server))[0] == 503
        await half.bye()
        await gone(server)
        await open_session(server)

    async def test_health_is_told_when_full(self, serve, open_session):
        server = await serve(connections=1)
        await open_session(server)
        wire = await Wire.open(server.port, "/healthz", "Host: x\r\n")
        assert (await wire.response())[0] == 200
        await wire.bye()

    async def test_too_many_from_one_address_is_429(self, serve, open_session):
        server = await serve(connections_per_address=1, trusted_proxies=("127.0.0.1",))

        async def come(address: str) -> int:
            headers = f"{HEADERS}X-Forwarded-For: 6.6.6.6, {address}\r\n"
            wires.append(await Wire.open(server.port, "/ws", headers))
            return (await wires[-1].response())[0]

        wires: list[Wire] = []
        assert [await come("1.1.1.1"), await come("2.2.2.2"), await come("1.1.1.1")] == [
            101,
            101,
            429,
        ]
        assert {listener.address for listener in server._listeners} == {"1.1.1.1", "2.2.2.2"}
        for wire in wires:
            await wire.bye()
        await gone(server)
        assert server.crowd.of("1.1.1.1") == 0
        assert await come("1.1.1.1") == 101
        await wires[-1].bye()

    async def test_silent_ones_get_no_more_than_their_share(self, serve, open_session):
        server = await serve(connections=3, connections_per_address=2)
        silent = [Wire(*await asyncio.open_connection("127.0.0.1", server.port)) for _ in range(2)]
        await until(lambda: server.crowd.connections == 2)
        third = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        with contextlib.suppress(ConnectionResetError):
            await third.end()
        await third.bye()
        await until(lambda: server.turned_away == 1)
        assert server.crowd.connections == server.crowd.of("127.0.0.1") == 2
        assert (server.unfinished, server.refused) == (0, 0)
        for wire in silent:
            await wire.bye()
        await gone(server)
        assert server.unfinished == 2
        await open_session(server)

    @pytest.mark.parametrize(
        "request_bytes", [b"\r\n\r\n", b"GET /nope HTTP/1.1\r\n\r\n", b"", b"GET /ws HTTP/1.1\r\n"]
    )
    async def test_every_end_frees_its_place(self, serve, request_bytes):
        server = await serve(handshake_seconds=0.05)
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        wire.send(request_bytes)
        await wire.end()
        await wire.bye()
        await gone(server)


@pytest.mark.parametrize(
    "query",
    [
        "since=now",
        "since=",
        "conflate=1h",
        "conflate=",
        "conflate=0ms",
        "conflate=61s",
        "strategy_id=",
        "strategy_id=a%20b",
        "strategy_id=*",
    ],
)
async def test_a_malformed_parameter_is_400(serve, query):
    server = await serve()
    status, _, body = await refused(server, f"/ws?{query}")
    assert (status, body["code"]) == (400, "BAD_REQUEST")
    assert "allowed" in body["message"]


@pytest.mark.parametrize(
    "options",
    [
        {"allowed_origins": ("desk",)},
        {"trusted_proxies": ("10.0.0.1/8",)},
        {"connections": -1},
        {"header_bytes": 0},
        {"header_bytes": 1 << 20},
        {"auth_seconds": 0},
    ],
)
async def test_an_endpoint_that_cannot_be(serve, options):
    with pytest.raises(ConfigError, match="allowed"):
        await serve(**options)


async def test_rate_limit_warns_then_closes(serve):
    server = await serve(messages_per_minute={"trading-api": 5})
    wire = await Wire.session(server.port)
    for _ in range(6):
        wire.send(frame(b'{"type":"subscribe","subscriptions":[]}'))
    kinds = [(await wire.message())["type"] for _ in range(6)]
    assert kinds.count("rate_limit") == 1
    assert await wire.closed() == (1008, "rate limit: 6 messages in 60 s; allowed: 5")
    await wire.bye()
    await gone(server)
    assert server.closes == {1008: 1}


async def test_conflate_paces_quotes_and_the_last_value_arrives(serve, router):
    server = await serve()
    wire = await Wire.session(server.port, "/ws?subscriptions=*:quote&conflate=50ms")
    for bid in range(1, 101):
        router.publish(Quote("S:A", bid=bid, ask=bid + 1))
        await router.drained()
    seen = []
    while not seen or seen[-1] < 100:
        seen.append((await wire.message())["quote"]["seq"])
    assert seen == sorted(set(seen))
    assert len(seen) < 100
    await wire.bye()


async def test_resume_from_an_id_of_another_run_is_a_gap_and_all_that_is_kept(serve, router):
    server = await serve()
    wire = await Wire.session(server.port, "/ws?since=evt_5")
    assert (await wire.message())["code"] == "RESUME_GAP"
    router.publish("order", order(1))
    assert (await wire.message())["type"] == "order"
    wire.say({"type": "resume", "since": "evt_99"})
    assert (await wire.message())["code"] == "RESUME_GAP"
    router.publish("order", order(2))
    assert [(await wire.message())["order"]["id"] for _ in range(2)] == ["1", "2"]
    await wire.bye()
