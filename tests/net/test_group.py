"""Several routes at a port, several ports in a group: what they share, and how they end."""

from __future__ import annotations

import asyncio
import json
import socket
import struct

import pytest
import websockets

from fastrouter import Quote, Router
from fastrouter.dialects import DIALECTS
from fastrouter.errors import ConfigError
from fastrouter.net.endpoint import Endpoint
from fastrouter.net.group import Group
from fastrouter.net.registry import Registry
from fastrouter.net.route import Route
from fastrouter.session.auth import Grant, Verifier

from ..tokens import SECRET, hs256
from .wire import HEADERS, Wire, frame, until

ROUTES = [Route("/a", "alpha"), Route("/b", "beta"), Route("/jobs/{job}", "beta", "dgbit-job")]


@pytest.fixture(autouse=True)
def _dialects(monkeypatch):
    for name in ("alpha", "beta"):
        monkeypatch.setitem(DIALECTS, name, f"tests.net.speakers:{name}")


@pytest.fixture
async def group(router: Router):
    """Make a group with an admission; it is closed at the end."""
    groups: list[Group] = []

    def make(**admission) -> Group:
        groups.append(router.group(**admission))
        return groups[-1]

    yield make
    for one in groups:
        for server in one.servers:
            server.close_seconds = 0.1
        await one.close(0.2)


async def serve(group: Group, *routes: Route, **options):
    return await group.serve("127.0.0.1", 0, routes or ROUTES, **options)


async def welcomed(server, target: str) -> tuple[Wire, dict]:
    """A session, and the first it hears."""
    wire = await Wire.open(server.port, target)
    assert (await wire.response())[0] == 101
    return wire, await wire.message()


async def status(server, target: str) -> tuple[int, dict]:
    wire = await Wire.open(server.port, target)
    found, headers = await wire.response()
    body = {}
    if found != 101:
        body = json.loads(await wire.reader.readexactly(int(headers["content-length"])))
    await wire.bye()
    return found, body


class TestRoutes:
    async def test_each_path_speaks_its_dialect(self, group):
        server = await serve(group())
        for target, dialect in (("/a", "alpha"), ("/b", "beta"), ("/jobs/7", "beta")):
            wire, welcome = await welcomed(server, target)
            assert welcome["as"] == dialect
            await wire.bye()
        assert server.by_dialect.keys() == {"alpha", "beta"}

    async def test_another_may_be_asked_for(self, group):
        server = await serve(group())
        wire, welcome = await welcomed(server, "/a?dialect=beta")
        assert welcome["as"] == "beta"
        assert server.by_dialect == {"alpha": 0, "beta": 1}
        assert Registry([server]).page("", 10, "beta", None)
        wire.say({"type": "nonsense"})
        assert (await wire.message())["as"] == "beta"
        await wire.bye()
        await until(lambda: not server.sessions)
        assert server.by_dialect == {"alpha": 0, "beta": 0}

    async def test_manners_are_the_routes_or_those_of_the_dialect_asked_for(self, group):
        server = await serve(group())
        job, _ = await welcomed(server, "/jobs/7")
        (listener,) = server.listeners
        assert listener.session.variable == "7"
        job.say({"hello": 1})
        answer = await job.message()
        assert (answer["type"], answer["job_uuid"]) == ("ack", "7")
        other, _ = await welcomed(server, "/jobs/7?dialect=alpha")
        other.say({"hello": 1})
        assert (await other.message())["type"] == "error"
        for wire in (job, other):
            await wire.bye()

    async def test_one_that_is_not_registered(self, group):
        server = await serve(group())
        found, body = await status(server, "/a?dialect=klingon")
        assert (found, body["code"]) == (400, "BAD_REQUEST")
        assert "'klingon' is not registered; allowed: " in body["message"]
        assert "alpha" in body["message"]
        assert (await status(server, "/a?dialect="))[0] == 400

    async def test_subscriptions_of_a_route(self, group, router):
        routes = (Route("/q", "alpha", None, "S:A:quote"), Route("/all", "alpha"))
        server = await serve(group(), *routes, subscriptions="S:B:quote")
        wires = [
            (await welcomed(server, target))[0] for target in ("/q", "/all", "/q?dialect=beta")
        ]
        held = sorted(next(iter(listener.session.held.values())) for listener in server.listeners)
        assert held == ["S:A:quote", "S:A:quote", "S:B:quote"]
        for wire in wires:
            await wire.bye()

    async def test_an_unknown_path_names_all(self, group):
        found, body = await status(await serve(group()), "/nope")
        assert (found, body["message"]) == (
            404,
            "no such path: /nope; allowed: /a, /b, /jobs/{job}",
        )

    @pytest.mark.parametrize(
        ("route", "said"),
        [
            (Route("/", "klingon"), "dialect 'klingon' is not registered"),
            (Route("/", subscriptions="S:A"), "'S:A'"),
            (Route("nope"), "path 'nope'"),
        ],
    )
    async def test_a_bad_route_is_a_clear_error(self, group, route, said):
        with pytest.raises(ConfigError, match=said):
            await serve(group(), route)

    async def test_websockets(self, group, router):
        server = await serve(group())
        url = f"ws://127.0.0.1:{server.port}/jobs/7?dialect=trading-api&subscriptions=S:A:quote"
        async with websockets.connect(url, proxy=None) as client:
            assert json.loads(await client.recv())["event"] == "CONNECTED"
            router.publish(Quote("S:A", bid=1, ask=2))
            assert json.loads(await client.recv())["quote"]["ask"] == "2"


async def test_an_event_is_encoded_once_a_dialect_whatever_the_ports(group, router):
    one, two = group(), group()
    servers = [await serve(each) for each in (one, one, two)]
    wires = [
        (await welcomed(server, target))[0]
        for server in servers
        for target in ("/a", "/b", "/a?dialect=beta", "/a?dialect=trading-api")
    ]
    before = router.counters().encoded
    router.publish(Quote("S:A", bid=1, ask=2))
    for wire in wires:
        assert (await wire.message())["type"] == "quote"
    assert router.counters().encoded == before + 3
    for wire in wires:
        await wire.bye()


class TestShared:
    async def test_connections_of_an_address(self, group):
        both = group(connections_per_address=2)
        first, second = await serve(both), await serve(both)
        wires = [(await welcomed(server, "/a"))[0] for server in (first, second)]
        late = Wire(*await asyncio.open_connection("127.0.0.1", second.port))
        await late.end()
        await late.bye()
        assert (first.turned_away, second.turned_away) == (0, 1)
        await wires[0].bye()
        await until(lambda: both.crowd.connections == 1)
        wires[0], _ = await welcomed(second, "/a")
        for wire in wires:
            await wire.bye()

    async def test_connections_in_all(self, group):
        both = group(connections=1)
        first, second = await serve(both), await serve(both)
        wire, _ = await welcomed(first, "/a")
        assert (await status(second, "/a"))[0] == 503
        assert both.full is False
        await wire.bye()

    async def test_tokens_and_origins(self, group):
        both = group(verifier=Verifier(secret=SECRET), allowed_origins=("https://desk.example",))
        for server in (await serve(both), await serve(both)):
            assert (await status(server, "/a?token=bad"))[0] == 401
            wire = await Wire.open(server.port, "/a", HEADERS + "Origin: https://evil\r\n")
            assert (await wire.response())[0] == 403
            await wire.bye()
            assert (await status(server, f"/a?token={hs256()}"))[0] == 101

    async def test_loss_and_return_of_the_feed(self, group):
        both = group()
        servers = [await serve(both), await serve(both)]
        wires = [(await welcomed(server, "/a"))[0] for server in servers]
        both.upstream(False)
        both.upstream(False)
        for wire in wires:
            assert (await wire.message())["event"] == "RECONNECTING"
        late, _ = await welcomed(servers[1], "/b")
        assert (await late.message())["event"] == "RECONNECTING"
        assert not any(server.fed for server in servers)
        both.upstream(True)
        both.gap("the line was cut")
        for wire in (*wires, late):
            assert (await wire.message())["event"] == "CONNECTED"
            assert (await wire.message())["code"] == "RESUME_GAP"
            await wire.bye()

    async def test_who_comes_with_a_token_and_rubbish_is_told_that_the_feed_is_lost(self, group):
        both = group(verifier=Verifier(secret=SECRET))
        server = await serve(both, Route("/ws"))
        server.close_seconds = 0.1
        both.upstream(False)
        for token in ("", f"&token={hs256()}"):
            late, _ = await welcomed(server, f"/ws?subscriptions=rubbish{token}")
            if not token:
                late.say({"type": "Authenticate", "token": hs256()})
                assert (await late.message())["type"] == "authenticated"
            assert (await late.message())["code"] == "INVALID_SUBSCRIPTION"
            assert (await late.message())["event"] == "RECONNECTING"
            late.say({"type": "Authenticate", "token": hs256()})
            late.say({"type": "subscribe", "subscriptions": []})
            told = [(await late.message())["type"] for _ in range(2)]
            assert told == ["authenticated", "subscribed"]
            await late.bye()
        assert server.rejections == {"INVALID_SUBSCRIPTION": 2}

    @pytest.mark.parametrize(
        ("admission", "said"),
        [
            ({"connections": -1}, "connections is -1; allowed: 0"),
            ({"auth_seconds": 0}, "auth_seconds is 0; allowed: above 0"),
            ({"allowed_origins": ("nope",)}, "origin 'nope'"),
            ({"trusted_proxies": ("nope",)}, "trusted proxy"),
        ],
    )
    def test_what_cannot_be(self, router, admission, said):
        with pytest.raises(ConfigError, match=said):
            router.group(**admission)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"heartbeat": 0}, "heartbeat is 0; allowed: above 0"),
            ({"max_subscriptions": -1}, "max_subscriptions is -1; allowed: 0"),
            ({"header_bytes": 0}, "header_bytes is 0"),
        ],
    )
    def test_an_endpoint_that_cannot_be(self, options, said):
        with pytest.raises(ConfigError, match=said):
            Endpoint(**options).check()


class TestEnd:
    async def test_all_drain_at_once(self, group):
        both = group()
        servers = [await serve(both) for _ in range(3)]
        wires = [(await welcomed(server, "/a"))[0] for server in servers]
        ports = [server.port for server in servers]
        closing = asyncio.ensure_future(both.close(grace=5))
        for wire in wires:
            assert (await wire.message())["event"] == "DISCONNECTING"
        assert both.retry_after > 0
        for server in servers:
            assert (await status(server, "/a"))[0] == 503
        for wire in wires:
            assert (await wire.closed())[0] == 1001
            wire.send(frame(struct.pack(">H", 1001), 8))
        assert await closing == 0
        assert both.sessions == 0
        for port in ports:
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
        for wire in wires:
            await wire.bye()

    async def test_who_does_not_go_is_cut_at_the_end_of_the_one_grace(self, group):
        both = group()
        servers = [await serve(both) for _ in range(2)]
        wires = [(await welcomed(server, "/a"))[0] for server in servers]
        assert await both.close(grace=0.1) == 2
        assert await both.close(grace=60) == 2
        for wire in wires:
            await wire.bye()

    async def test_or_at_once(self, group):
        both = group()
        wire, _ = await welcomed(await serve(both), "/a")
        closing = asyncio.ensure_future(both.close(grace=60))
        assert (await wire.message())["event"] == "DISCONNECTING"
        both.abort()
        assert await closing == 1
        await wire.bye()

    async def test_one_alone_then_the_others(self, group):
        both = group()
        first, second = [await serve(both) for _ in range(2)]
        wires = [(await welcomed(server, "/a"))[0] for server in (first, second)]
        assert await first.close(grace=0.05) == 1
        assert second.sessions == 1
        assert await both.close(grace=0.05) == 2
        for wire in wires:
            await wire.bye()

    async def test_an_empty_group(self, group):
        assert await group().close(grace=60) == 0

    async def test_a_taken_port_leaves_the_others(self, group):
        both = group()
        server = await serve(both)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
                await both.serve("127.0.0.1", port, ROUTES)
        assert both.servers == [server]
        assert (await status(server, "/a"))[0] == 101


ORDER = {
    "id": "o-1",
    "symbol": "S:A",
    "side": "BUY",
    "type": "MARKET",
    "status": "accepted",
    "event": "ORDER_ACCEPTED",
    "qty": "1",
}


class TestPause:
    """A strategy's sessions without market data, and with it again."""

    @pytest.fixture
    async def server(self, group):
        server = await serve(group(), Route("/ws"))
        server.close_seconds = 0.1
        return server

    def quote(self, server, bid: int) -> None:
        server.router.publish(Quote("S:A", bid=bid, ask=bid))

    async def test_orders_come_and_quotes_do_not(self, server):
        mine = await Wire.session(server.port, "/ws?strategy_id=mine")
        other = await Wire.session(server.port, "/ws?strategy_id=other")
        nobody = await Wire.session(server.port)
        server.group.pause("mine")
        self.quote(server, 1)
        for wire in (other, nobody):
            assert (await wire.message())["quote"]["bid"] == "1"
        server.router.publish("order", ORDER)
        assert (await mine.message())["type"] == "order"
        server.group.unpause("mine")
        again = await mine.message()
        assert (again["quote"]["bid"], again["snapshot"]) == ("1", True)
        self.quote(server, 2)
        assert (await mine.message())["quote"]["bid"] == "2"
        for wire in (mine, other, nobody):
            await wire.bye()

    async def test_who_comes_meanwhile_waits_too(self, server):
        server.group.pause("mine")
        server.group.pause("mine")
        self.quote(server, 1)
        mine = await Wire.session(server.port, "/ws?strategy_id=mine&subscriptions=S:A:quote")
        mine.say({"type": "subscribe", "subscriptions": ["S:A:candle", "S:B:quote", "*:order"]})
        held = (await mine.message())["subscriptions"]
        assert held == ["S:A:quote", "S:A:candle", "S:B:quote", "*:order"]
        mine.say({"type": "unsubscribe", "subscriptions": ["S:B:quote"]})
        assert (await mine.message())["type"] == "unsubscribed"
        server.router.publish(Quote("S:B", bid=1, ask=1))
        server.router.publish("order", ORDER)
        assert (await mine.message())["type"] == "order"
        server.group.unpause("mine")
        server.group.unpause("mine")
        assert (await mine.message())["quote"]["symbol"] == "S:A"
        self.quote(server, 2)
        assert (await mine.message())["quote"]["bid"] == "2"
        await mine.bye()

    async def test_before_it_has_said_who_it_is(self, group):
        server = await serve(group(verifier=Verifier(secret=SECRET)), Route("/ws"))
        server.close_seconds = 0.1
        server.group.pause("mine")
        mine, _ = await welcomed(server, "/ws?strategy_id=mine&subscriptions=*:quote,*:signal")
        mine.say({"type": "Authenticate", "token": hs256()})
        assert (await mine.message())["type"] == "authenticated"
        self.quote(server, 1)
        server.group.unpause("mine")
        assert (await mine.message())["snapshot"] is True
        await mine.bye()

    async def test_the_token_of_its_process_says_whose_session_it_is(self, group):
        verifier = Verifier(secret=SECRET)
        token = verifier.issue(Grant("mine", ("default",), None, strategy_id="mine"))
        server = await serve(group(verifier=verifier), Route("/ws"))
        server.close_seconds = 0.1
        server.group.pause("mine")
        self.quote(server, 1)
        items = "subscriptions=*:quote,*:signal"
        by_url, _ = await welcomed(server, f"/ws?{items}&token={token}")
        said, _ = await welcomed(server, f"/ws?{items}")
        said.say({"type": "Authenticate", "token": token})
        assert (await said.message())["type"] == "authenticated"
        assert [one.session.strategy_id for one in server.listeners] == ["mine", "mine"]
        for wire in (by_url, said):
            self.quote(server, 2)
            wire.say({"type": "subscribe", "subscriptions": ["S:A:quote"]})
            assert (await wire.message())["type"] == "subscribed"
        server.group.unpause("mine")
        for wire in (by_url, said):
            assert (await wire.message())["snapshot"] is True
            await wire.bye()

    async def test_the_token_of_another_strategys_process_is_refused(self, group):
        verifier = Verifier(secret=SECRET)
        token = verifier.issue(Grant("mine", ("default",), None, strategy_id="mine"))
        server = await serve(group(verifier=verifier), Route("/ws"))
        server.close_seconds = 0.1
        found, body = await status(server, f"/ws?strategy_id=other&token={token}")
        assert (found, body["code"]) == (403, "FORBIDDEN")
        assert body["message"] == (
            "the token is of strategy 'mine', which acts as itself alone: "
            "strategy_id is 'other'; allowed: 'mine'"
        )
        wire, _ = await welcomed(server, "/ws?strategy_id=other")
        wire.say({"type": "Authenticate", "token": token})
        error = await wire.message()
        assert (error["code"], error["message"]) == ("FORBIDDEN", body["message"])
        assert (await wire.closed())[0] == 4401
        await wire.bye()
        assert (await status(server, f"/ws?strategy_id=mine&token={token}"))[0] == 101
