"""The SDK for browsers, in node: against servers that follow a script."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests import node
from tests.browser.sdk import MODULE, SCRIPTS, Sdk

Script = Callable[[ServerConnection], Awaitable[None]]


@pytest.fixture(autouse=True)
def _node() -> None:
    node.need("ws", at_least=20)


@asynccontextmanager
async def scripted(*scripts: Script) -> AsyncIterator[str]:
    """A server whose n-th connection follows the n-th script; then the last again."""
    waiting = list(scripts)

    async def follow(connection: ServerConnection) -> None:
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(connection)

    async with serve(follow, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def asked(connection: ServerConnection) -> dict[str, str]:
    """The query string."""
    assert connection.request is not None
    query = parse_qs(urlsplit(connection.request.path).query)
    return {name: value for name, (value,) in query.items()}


async def say(connection: ServerConnection, kind: str, data: Any = None, **fields: Any) -> None:
    body = {} if data is None else {"data": data}
    await connection.send(json.dumps({"type": kind, "timestamp": "now", **body, **fields}))


async def heard(connection: ServerConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await connection.recv())
    return message


async def stay(connection: ServerConnection) -> None:
    await connection.wait_closed()


def test_its_timers():
    done = subprocess.run(
        [node.NODE, "--test", "--test-reporter=spec", str(SCRIPTS / "timers.test.mjs")],
        capture_output=True, text=True, timeout=60, env={**os.environ, "SDK": MODULE.as_uri()},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


async def test_what_strategies_do_reaches_whoever_asked():
    async def script(connection: ServerConnection) -> None:
        await say(connection, "strategy_signal", {"strategyId": "strategy-123", "action": "BUY"})
        await say(connection, "strategy_signal", {"strategyId": "other", "action": "SELL"})
        await say(connection, "strategy_trade", {"strategyId": "other", "id": "t1"})
        await say(connection, "strategy_trade", {"strategyId": "strategy-123", "id": "t2"})
        await say(connection, "strategy_started", {"strategyId": "strategy-123"})
        await say(connection, "quote", {"symbol": "S:A"})
        await say(connection, "execution_service_status", {"status": "RUNNING"})
        await stay(connection)

    async with scripted(script) as url, Sdk(url) as sdk:
        assert await sdk.told("born") is False
        assert await sdk.told("connected") is True
        assert await sdk.told("signal") == {"strategyId": "strategy-123", "action": "BUY"}
        assert [(await sdk.told("any signal"))["action"] for _ in range(2)] == ["BUY", "SELL"]
        assert (await sdk.told("trade"))["id"] == "t2"
        assert (await sdk.told("update"))["type"] == "strategy_started"
        assert (await sdk.told("update"))["data"] == {"status": "RUNNING"}
        assert (await sdk.message("quote"))["data"] == {"symbol": "S:A"}


async def test_commands_wait_for_a_connection():
    async def script(connection: ServerConnection) -> None:
        for _ in range(4):
            await say(connection, "heard", await heard(connection))
        await stay(connection)

    async def refuse(connection: ServerConnection) -> None:
        await connection.close(1011)

    async with scripted(refuse, script) as url, Sdk(url) as sdk:
        assert [await sdk.told("connected"), await sdk.told("connected")] == [True, False]
        sdk.call("startStrategy", "a", {"symbols": ["AAPL"]})
        sdk.call("pauseStrategy", "a")
        sdk.call("stopStrategy", "a")
        sdk.call("getActiveStrategies")
        assert [(await sdk.message("heard"))["data"] for _ in range(4)] == [
            {"type": "start_strategy", "id": "a", "config": {"symbols": ["AAPL"]}},
            {"type": "pause_strategy", "id": "a"},
            {"type": "stop_strategy", "id": "a"},
            {"type": "get_active_strategies"},
        ]


async def test_it_comes_back_to_where_it_was():
    async def first(connection: ServerConnection) -> None:
        assert asked(connection) == {"dialect": "orchestrator"}
        await say(connection, "connection", {"event": "CONNECTED", "last_id": "evt_3"})
        message = await heard(connection)
        assert message == {"type": "subscribe", "subscriptions": ["S:A:quote", "*:order"]}
        held = {"subscriptions": ["C:*:candle", "S:A:quote", "*:order"]}
        await say(connection, "subscribed", held)
        await say(connection, "order", {}, id="evt_12")
        await say(connection, "quote", {}, id="evt_9")
        await connection.close(1011)

    async def second(connection: ServerConnection) -> None:
        await say(connection, "asked", asked(connection))
        await stay(connection)

    async with scripted(first, second) as url, Sdk(url) as sdk:
        sdk.call("subscribe", "S:A:quote,*:order")
        assert (await sdk.message("asked"))["data"] == {
            "dialect": "orchestrator",
            "subscriptions": "C:*:candle,S:A:quote,*:order",
            "since": "evt_12",
        }


async def test_what_has_no_id_is_told_once():
    signals = [{"strategyId": "strategy-123", "id": f"sig_{n}"} for n in range(4)]

    async def first(connection: ServerConnection) -> None:
        await say(connection, "connection", {"event": "CONNECTED", "last_id": "evt_3"})
        await say(connection, "strategy_signal", signals[0])
        await say(connection, "quote", {"event_id": "evt_5"})
        await say(connection, "strategy_signal", signals[1])
        await say(connection, "strategy_signal", signals[2])
        await connection.close(1011)

    async def second(connection: ServerConnection) -> None:
        assert asked(connection)["since"] == "evt_5"
        for signal in (*signals[1:], *signals[3:]):
            await say(connection, "strategy_signal", signal)
        await stay(connection)

    async with scripted(first, second) as url, Sdk(url) as sdk:
        told = [await sdk.told("signal") for _ in range(5)]
        assert told == [*signals, signals[3]]


async def test_a_change_without_an_answer_is_said_again():
    async def first(connection: ServerConnection) -> None:
        await heard(connection)
        await heard(connection)
        await say(connection, "error", {"code": "INVALID_SUBSCRIPTION"})
        await connection.close(1011)

    async def second(connection: ServerConnection) -> None:
        await say(connection, "heard", await heard(connection))
        await stay(connection)

    async with scripted(first, second) as url, Sdk(url, subscriptions="*:quote") as sdk:
        sdk.call("subscribe", ["rubbish"])
        sdk.call("unsubscribe", ["*:quote"])
        message = (await sdk.message("heard"))["data"]
        assert message == {"type": "unsubscribe", "subscriptions": ["*:quote"]}


async def test_more_subscriptions_than_a_url_can_hold():
    wanted = [f"S:SYMBOL{n}:quote" for n in range(400)]

    async def script(connection: ServerConnection) -> None:
        message = await heard(connection)
        first = asked(connection)["subscriptions"].split(",")
        await say(connection, "heard", first + message["subscriptions"])
        await stay(connection)

    async with scripted(script) as url, Sdk(url, subscriptions=wanted) as sdk:
        assert (await sdk.message("heard"))["data"] == wanted


async def test_the_token_is_the_first_message_and_asked_for_each_time():
    async def script(connection: ServerConnection) -> None:
        await say(connection, "heard", await heard(connection))
        await connection.close(4401, "expired")

    async with scripted(script) as url, Sdk(url, token="secret") as sdk:
        for n in (1, 2, 3):
            message = (await sdk.message("heard"))["data"]
            assert message == {"type": "Authenticate", "token": f"secret {n}"}


async def test_a_gap_after_ids_began_anew():
    async def first(connection: ServerConnection) -> None:
        await say(connection, "connection", {"event": "CONNECTED", "last_id": "evt_2"})
        await say(connection, "error", {"code": "RESUME_GAP"})
        await say(connection, "order", {}, id="evt_3")
        await connection.close(1011)

    async def second(connection: ServerConnection) -> None:
        await say(connection, "asked", asked(connection))
        await stay(connection)

    async with scripted(first, second) as url, Sdk(url, since="evt_700") as sdk:
        assert (await sdk.message("asked"))["data"]["since"] == "evt_3"


@pytest.mark.parametrize("rubbish", ["{", "[]", "1", "null", '{"kind": 1}', '{"type": 1}'])
async def test_what_is_no_message_is_logged_and_the_connection_stays(rubbish: str):
    async def script(connection: ServerConnection) -> None:
        await connection.send(rubbish)
        await say(connection, "quote", {})
        await stay(connection)

    async with scripted(script) as url, Sdk(url) as sdk:
        assert rubbish in await sdk.told("logged")
        assert await sdk.message("quote")


async def test_the_dialect_is_the_endpoints_own_when_it_is_null():
    async def script(connection: ServerConnection) -> None:
        await say(connection, "asked", asked(connection))
        await stay(connection)

    async with scripted(script) as url:
        async with Sdk(url, dialect=None) as sdk:
            assert (await sdk.message("asked"))["data"] == {}
        async with Sdk(url + "?dialect=dgbit&subscriptions=*:job") as sdk:
            query = (await sdk.message("asked"))["data"]
            assert query == {"dialect": "dgbit", "subscriptions": "*:job"}


async def test_closing_is_said_to_the_server_and_the_observers():
    codes = []

    async def script(connection: ServerConnection) -> None:
        await stay(connection)
        codes.append(connection.close_code)

    async with scripted(script) as url, Sdk(url) as sdk:
        assert await sdk.told("connected") is True
        sdk.call("close")
        assert await sdk.told("connected") is False
        assert {await sdk.told("completed") for _ in range(5)} == {
            *("connected", "signal", "any signal", "trade", "update")
        }
    assert codes == [1005]


async def test_with_the_websocket_of_node_itself():
    async def script(connection: ServerConnection) -> None:
        await say(connection, "heard", await heard(connection))
        await stay(connection)

    flags = ["--experimental-websocket", "--no-warnings"]
    async with scripted(script) as url, Sdk(url, flags=flags) as sdk:
        sdk.call("getActiveStrategies")
        assert (await sdk.message("heard"))["data"] == {"type": "get_active_strategies"}
