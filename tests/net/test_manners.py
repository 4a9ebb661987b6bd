"""Each dialect's sessions over a socket: welcome, heartbeat, answers and commands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastrouter import Quote
from fastrouter.errors import gravity
from fastrouter.net.route import Route
from fastrouter.session.auth import Verifier

from ..tokens import SECRET, hs256
from .wire import Wire, frame, until

DIALECTS = ("trading-api", "orchestrator", "dgbit", "botcore", "botcore-ai")
PING, PONG = 9, 10

#: where the body of a message stands
BODY = {"orchestrator": "data", "dgbit": "payload", "botcore": "data", "botcore-ai": "data"}


def word(dialect: str, kind: str) -> str:
    """What a dialect calls it."""
    return kind.title() if dialect.startswith("botcore") else kind


class Talk:
    """One session of a dialect, its welcome read."""

    def __init__(self, wire: Wire, dialect: str) -> None:
        self.wire = wire
        self.dialect = dialect
        self.welcome: dict[str, Any] = {}

    @classmethod
    async def begin(cls, server: Any, dialect: str, target: str = "/ws?subscriptions=") -> Talk:
        wire = await Wire.open(server.port, target)
        assert (await wire.response())[0] == 101
        talk = cls(wire, dialect)
        talk.welcome = await wire.message()
        return talk

    async def body(self, kind: str) -> dict[str, Any]:
        """The body of the next message, which is of that type."""
        message = await self.wire.message()
        assert message["type"] == word(self.dialect, kind), message
        key = BODY.get(self.dialect)
        found: dict[str, Any] = message if key is None else message[key]
        return found

    async def refused(self, code: str) -> str:
        """The next message is an error of that code: what it says."""
        body = await self.body("error")
        assert body["code"] == code
        if self.dialect.startswith("botcore"):
            assert (body["severity"], body["recoverable"]) == gravity(code)
        message: str = body["message"]
        return message


@pytest.fixture(params=DIALECTS)
def dialect(request) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def begin(serve, dialect):
    """Start a server of the dialect, and sessions that are hung up at the end."""
    talks: list[Talk] = []
    servers: list[Any] = []

    async def start(target: str = "/ws?subscriptions=", **options: Any) -> Talk:
        if not servers:
            servers.append(await serve(dialect=dialect, **options))
        talks.append(await Talk.begin(servers[0], dialect, target))
        return talks[-1]

    yield start
    for talk in talks:
        await talk.wire.bye()


WELCOME = {
    "trading-api": {"type": "connection", "event": "CONNECTED", "last_id": "evt_0"},
    "orchestrator": {"type": "connection", "data": {"event": "CONNECTED", "last_id": "evt_0"}},
    "dgbit": {"type": "connection", "payload": {"event": "CONNECTED", "last_id": "evt_0"}},
    "botcore": {"type": "Connected", "data": {}},
    "botcore-ai": {"type": "connection", "message": "Connected to AI Trading Service"},
}


def within(part: Any, whole: Any) -> bool:
    """Is every key of `part` in `whole` with the same value?"""
    if isinstance(part, dict):
        return all(key in whole and within(value, whole[key]) for key, value in part.items())
    return bool(part == whole)


async def test_the_welcome(begin, dialect):
    talk = await begin()
    assert within(WELCOME[dialect], talk.welcome), talk.welcome
    if dialect == "botcore":
        assert list(talk.welcome["data"])[:3] == ["client_id", "server_time", "version"]


async def test_subscribe_and_unsubscribe(begin):
    talk = await begin()
    talk.wire.say({"type": "subscribe", "subscriptions": ["*:signal"]})
    assert (await talk.body("subscribed"))["subscriptions"] == ["*:signal"]
    talk.wire.say({"type": "unsubscribe", "subscriptions": ["*:signal"]})
    assert (await talk.body("unsubscribed"))["subscriptions"] == []
    talk.wire.say({"type": "subscribe", "subscriptions": ["nonsense"]})
    assert "'nonsense'" in await talk.refused("INVALID_SUBSCRIPTION")


@pytest.mark.parametrize("message", [{"type": "nonsense"}, {}, [1, 2], 5, {"type": None}])
async def test_what_is_not_known(begin, dialect, message):
    talk = await begin()
    talk.wire.say(message)
    if dialect == "dgbit":
        assert await talk.wire.message() == {"type": "ping", "received": message}
    else:
        await talk.refused("INVALID_MESSAGE")


@pytest.mark.parametrize("rubbish", [frame(b"hello"), frame(b"{}", opcode=2)])
async def test_what_is_not_json(begin, dialect, rubbish):
    talk = await begin()
    talk.wire.send(rubbish)
    if dialect != "dgbit":
        await talk.refused("INVALID_MESSAGE")
    talk.wire.say({"type": "subscribe", "subscriptions": []})
    await talk.body("subscribed")


async def test_ping_is_answered_where_core_says_so(begin, dialect):
    talk = await begin()
    talk.wire.say({"type": "Ping", "timestamp": 1697234567000})
    if dialect in ("botcore", "botcore-ai"):
        answer = await talk.wire.message()
        assert answer["type"] == "Pong"
        assert list(answer["data"]) == ["timestamp"]
        assert answer["data"]["timestamp"] == answer["timestamp"] > 1697234567000


async def test_a_protocol_ping_is_answered_everywhere(begin):
    talk = await begin()
    talk.wire.send(frame(b"are you there", opcode=PING))
    assert await talk.wire.frame() == (PONG, b"are you there")


async def test_heartbeat_and_silence(begin, dialect):
    talk = await begin(heartbeat=0.05)
    opcode, payload = await talk.wire.frame()
    if dialect == "trading-api":
        assert (opcode, json.loads(payload)["type"]) == (1, "ping")
    else:
        assert (opcode, payload) == (PING, b"")
    if not dialect.startswith("botcore"):
        assert await talk.wire.closed() == (4408, "heartbeat lost")


async def test_who_answers_pings_stays(begin, dialect):
    talk = await begin(heartbeat=0.05)
    for _ in range(6):
        await talk.wire.frame()
        talk.wire.send(frame(b"", opcode=PONG))


async def test_rate_limit(begin, dialect):
    talk = await begin(messages_per_minute=5)
    for _ in range(6):
        talk.wire.say({"type": "subscribe", "subscriptions": []})
    for _ in range(3):
        await talk.body("subscribed")
    if dialect.startswith("botcore"):
        body = await talk.body("error")
        assert (body["code"], body["severity"]) == ("WEBSOCKET_ERROR", "WARNING")
    else:
        assert (await talk.body("rate_limit"))["used"] == 4
    assert (await talk.wire.closed())[0] == 1008


async def test_authenticate(begin, dialect):
    talk = await begin(verifier=Verifier(secret=SECRET))
    talk.wire.say({"type": "Authenticate", "token": hs256()})
    assert (await talk.body("authenticated"))["subject"] == "ada"
    other = await begin()
    other.wire.say({"type": "subscribe", "subscriptions": []})
    await other.refused("NOT_AUTHENTICATED")
    assert (await other.wire.closed())[0] == 4401


async def test_a_bad_command_is_an_error_in_the_orchestrators_envelope(begin, dialect):
    talk = await begin()
    talk.wire.say({"type": "start_strategy", "id": "s", "config": {"realTrading": "no"}})
    message = await talk.wire.message()
    if dialect in ("trading-api", "orchestrator"):
        assert (message["type"], message["data"]["code"]) == ("error", "INVALID_MESSAGE")
        assert "config.realTrading is 'no'" in message["data"]["message"]


@pytest.mark.parametrize("dialect", ["trading-api", "orchestrator"], indirect=True)
async def test_orchs_commands(begin, router, dialect):
    talk = await begin("/ws?subscriptions=*:signal,*:quote")
    talk.wire.say({"type": "get_active_strategies"})
    answer = await talk.wire.message()
    assert list(answer) == ["type", "timestamp", "data"]
    assert (answer["type"], answer["data"]) == ("strategy_status_list", [])
    talk.wire.say({"type": "stop_strategy", "id": "s"})
    answer = await talk.wire.message()
    assert (answer["type"], answer["data"]["code"]) == ("error", "UNKNOWN_STRATEGY")
    talk.wire.say({"type": "get_risk_status"})
    assert (await talk.wire.message())["type"] == "risk_status"
    router.publish("strategy", {"event": "started", "strategy_id": "s", "symbols": ["S:A"]})
    router.publish("signal", {"id": "1", "symbol": "S:A", "action": "BUY"})
    router.publish(Quote("S:A", bid=1, ask=2))
    started, signal, quote = [await talk.wire.message() for _ in range(3)]
    assert (started["type"], started["data"]["strategyId"]) == ("strategy_started", "s")
    assert (signal["type"], signal["data"]["symbol"]) == ("strategy_signal", "S:A")
    assert quote["type"] == "quote"
    assert ("data" in quote) is (dialect == "orchestrator")


class Later:
    """Carries out commands when told to, if the client is still there."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def command(self, session: Any, name: str, fields: dict[str, Any]) -> None:
        self.asked.append((session, name, fields))


@pytest.mark.parametrize("dialect", ["trading-api"], indirect=True)
async def test_an_answer_that_takes_time(serve, dialect):
    server = await serve(dialect=dialect)
    server.group.commands = later = Later()
    stays, goes = [await Talk.begin(server, dialect) for _ in range(2)]
    for talk in (stays, goes):
        talk.wire.say({"type": "stop_strategy", "id": "s"})
        talk.wire.say({"type": "subscribe", "subscriptions": []})
        await talk.body("subscribed")
    await goes.wire.bye()
    await until(lambda: server.sessions == 1)
    for session, name, fields in later.asked:
        assert (name, fields) == ("stop_strategy", {"id": "s"})
        session.answer("strategy_stopped", {"strategyId": "s", "name": "S"})
    answer = await stays.wire.message()
    assert (answer["type"], answer["data"]) == (
        "strategy_stopped",
        {"strategyId": "s", "name": "S"},
    )
    await stays.wire.bye()


# --------------------------------------------------------------------------- the job stream

JOB = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture
async def job_server(router):
    group = router.group()
    route = Route("/api/ws/jobs/{job_uuid}", "dgbit", manners="dgbit-job")
    yield await group.serve("127.0.0.1", 0, [route])
    await group.close(grace=0)


async def test_a_job_stream(router, job_server):
    talk = await Talk.begin(job_server, "dgbit", f"/api/ws/jobs/{JOB}")
    message = talk.welcome.pop("message")
    assert message.startswith(f"Subscribed to job {JOB}: to what becomes of it from now on. ")
    assert f"GET /v1/jobs/{JOB} " in message
    assert talk.welcome == {"type": "subscribed", "job_uuid": JOB}
    for said in ({"hello": 1}, 5, [1], {"type": "nonsense"}):
        talk.wire.say(said)
        assert await talk.wire.message() == {"type": "ack", "job_uuid": JOB}
    talk.wire.send(frame(b"not json"))
    for job in ("another", JOB):
        router.publish("job", {"id": job, "job_type": "backtest", "status": "pending"})
    assert (await talk.body("job.created"))["job_id"] == JOB
    talk.wire.say({"type": "subscribe", "subscriptions": ["*:signal"]})
    assert (await talk.body("subscribed"))["subscriptions"] == [f"{JOB}:job", "*:signal"]
    assert job_server.rejected == 1
    await talk.wire.bye()
