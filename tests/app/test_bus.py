"""The whole server on a bus: publishers, subscribers and clients are processes or sockets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from fastrouter import Router, app, config
from fastrouter.app.bus import Bus
from fastrouter.bus.publisher import Publisher
from fastrouter.errors import ConfigError

from ..bus.peer import Peer, dialling_publisher, publisher, subscriber
from ..bus.test_reading import DOCUMENT, message
from ..models.test_models import LEAST
from ..net.wire import Wire
from .visit import Visitor, settings

pytest.importorskip("pynng")

SIGNAL = DOCUMENT[5]


def visit(look: Callable[[app.Serving], Awaitable[None]], **overrides: Any) -> Visitor:
    visitor = Visitor(look)
    assert app.serve(settings(ports__ai="off", **overrides), ready=visitor)
    assert visitor.task is not None
    visitor.task.result()
    return visitor


async def session(serving: app.Serving, subscriptions: str) -> Wire:
    return await Wire.session(serving.port, f"/ws?subscriptions={subscriptions}")


async def said(peer: Peer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await peer.line()).partition(b" ")[2])
    return found


def test_from_a_bus_to_a_client_and_from_http_to_the_bus(tmp_path):
    """What came in from the bus reaches sessions, but not the bus."""
    theirs = f"ipc://{tmp_path}/theirs"

    async def look(serving: app.Serving) -> None:
        assert serving.bus is not None
        wire = await session(serving, "*:signal")
        async with dialling_publisher(theirs) as other, subscriber(serving.bus) as peer:
            await other.send(message(*SIGNAL[:2]))
            assert (await wire.message())["signal"]["strategy"] == "wavelet_reversal"
            body = {"kind": "signal", "payload": LEAST["signal"]}
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.post(f"{serving.rest}/v1/events", json=body)
            assert answer.status_code == 202
            assert (await wire.message())["id"] == answer.json()["ids"][0]
            assert (await said(peer))["payload"]["strategy"] is None  # ours: theirs has one
            async with httpx.AsyncClient(trust_env=False) as http:
                metrics = (await http.get(f"{serving.control}/metrics")).text
            for line in (
                "publishers 1.0",
                "received_total 1.0",
                "left_out_total 0.0",
                "sent_total 1.0",
            ):
                assert f"fastrouter_bus_{line}" in metrics
        await wire.bye()

    visit(look, bus__listen=theirs, bus__publish=f"ipc://{tmp_path}/ours")


def test_two_routers_that_listen_to_each_other(tmp_path):
    """A second server, in a process of its own, answers on the bus that the first one reads."""
    first, second = f"ipc://{tmp_path}/first", f"ipc://{tmp_path}/second"
    environment = {"FASTROUTER_BUS__DIAL": first, "FASTROUTER_BUS__PUBLISH": second}

    async def look(serving: app.Serving) -> None:
        async with subscriber(second) as at_second, subscriber(first) as at_first:
            async with httpx.AsyncClient(trust_env=False) as http:
                for number in (1, 2, 3):
                    body = {"kind": "job", "payload": {**LEAST["job"], "id": f"job-{number}"}}
                    await http.post(f"{serving.rest}/v1/events", json=body)
            for number in (1, 2, 3):
                assert (await said(at_first))["payload"]["job_id"] == f"job-{number}"
            with pytest.raises(TimeoutError):  # nothing came back
                await asyncio.wait_for(at_second.line(), 0.3)

    with served("--feed", "synthetic", "--rate", "1", environment=environment):
        visit(look, bus__dial=second, bus__publish=first)


def test_a_bus_as_the_feed_that_comes_and_goes(tmp_path):
    address = f"ipc://{tmp_path}/bus"

    async def look(serving: app.Serving) -> None:
        assert serving.feed == f"bus {address}: everything"
        wire = await session(serving, "*:quote")
        for number in (1, 2):
            async with publisher(address) as peer:
                await peer.send(message("quote", {"symbol": "S:A", "bid": number, "ask": 9}))
                states = []
                while (found := await wire.message())["type"] != "quote":
                    states.append(found["event"])
                assert states[-1:] in (["CONNECTED"], [])
                assert found["quote"]["bid"] == str(number)
            while (found := await wire.message()).get("event") != "RECONNECTING":
                pass
        await wire.bye()

    visit(look, feed__spec=f"nng:{address}")


@pytest.mark.parametrize("key", ["publish", "listen"])
def test_an_address_that_is_taken_says_what_to_set(key, tmp_path):
    import pynng

    taken = f"ipc://{tmp_path}/bus"
    said = f"FASTROUTER_BUS__{key.upper()}"
    with pynng.Pub0(listen=taken), pytest.raises(ConfigError, match=said) as caught:
        app.serve(settings(**{f"bus__{key}": taken}))
    assert caught.value.code == "ADDRESS_UNAVAILABLE"


def test_a_bus_that_others_reach_is_told_of(capfd):
    async def look(serving: app.Serving) -> None: ...

    visit(look, bus__publish="tcp://0.0.0.0:0", bus__listen="tcp://127.0.0.1:0")
    told = capfd.readouterr().err
    assert told.count("a bus has no auth") == 1
    assert "tcp://0.0.0.0:0" in told


class served:
    """``fastrouter serve`` in a process of its own, warnings being errors."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-W", "error", "-m", "fastrouter.cli", "serve", "--port", "0"),
                *("--ports", "off", *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200", **environment},
        )
        self.told = ""

    def __enter__(self) -> served:
        assert self.process.stdout is not None
        while "stop it" not in self.told:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            self.told += line
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_server_on_a_bus_ends_well(tmp_path):
    environment = {
        "FASTROUTER_BUS__DIAL": "tcp://127.0.0.1:1,tcp://nobody.invalid:5555",
        "FASTROUTER_BUS__LISTEN": f"ipc://{tmp_path}/in",
        "FASTROUTER_BUS__PUBLISH": "tcp://127.0.0.1:0",
        "FASTROUTER_LIMITS__CONNECTIONS": "100",
    }
    arguments = ("--feed", f"nng:ipc://{tmp_path}/nobody", "--log-format", "json")
    with served(*arguments, environment=environment) as server:
        assert "event bus" in server.told
        server.process.send_signal(signal.SIGTERM)
        _, log = server.process.communicate(timeout=30)
        assert server.process.returncode == 0, log
        levels = {json.loads(line)["level"] for line in log.splitlines()}
        assert levels <= {"info"}, log


@pytest.mark.parametrize("taken", ["publish", "listen"])
async def test_an_address_that_cannot_be_had_leaves_the_other_free(tmp_path, taken):
    addresses = {"publish": f"ipc://{tmp_path}/publish", "listen": f"ipc://{tmp_path}/listen"}
    there = Publisher(addresses[taken])
    chosen = config.Bus(publish=addresses["publish"], listen=(addresses["listen"],))
    with pytest.raises(ConfigError) as caught:
        Bus(Router(), chosen)
    assert caught.value.code == "ADDRESS_UNAVAILABLE"
    for address in addresses.values():
        if address != addresses[taken]:
            await Publisher(address).close()
    await there.close()
