"""Every endpoint of the wire contract in one server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import sys
from pathlib import Path

import httpx
import pytest
import websockets

from fastrouter import app
from fastrouter.app.endpoints import ROUTES
from fastrouter.config import Ports
from fastrouter.errors import ConfigError

from ..certificates import certify
from ..net.wire import HEADERS, Wire, frame
from .visit import Visitor, settings

NAMES = tuple(Ports.model_fields)
#: what each dialect says first, by its type
WELCOMES = {
    "trading-api": "connection",
    "botcore": "Connected",
    "botcore-ai": "connection",
    "dgbit": "connection",
    "orchestrator": "connection",
    "alpaca": None,  # nothing before it is spoken to
}
LISTEN = {"action": "listen", "data": {"streams": []}}
#: path of each endpoint, as (port, path) -> its own dialect
CONTRACT = {
    ("server", "/"): "trading-api",
    ("server", "/ws"): "trading-api",
    ("rest", "/ws"): "botcore",
    ("rest", "/stream"): "alpaca",
    ("ai", "/ws"): "botcore-ai",
    ("ai", "/api/ws/events"): "dgbit",
    ("ai", "/api/ws/jobs/{job_uuid}"): "dgbit",
    ("market", "/ws"): "orchestrator",
    ("risk", "/ws"): "orchestrator",
    ("backtest", "/ws"): "trading-api",
}
LIVE = len(CONTRACT) - 1


def urls_of(serving: app.Serving) -> dict[tuple[str, str], str]:
    """The URL of each endpoint of the contract, a job's id in it."""
    urls = (url.replace("{job_uuid}", "job-7") for url, *_ in serving.endpoints)
    return dict(zip(CONTRACT, urls, strict=True))


def port_of(url: str) -> int:
    return int(re.search(r":(\d+)/", url)[1])


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def visit(what, **overrides) -> None:
    visitor = Visitor(what)
    assert app.serve(settings(**overrides), ready=visitor)
    visitor.task.result()


def test_the_table_is_the_contracts():
    table = {(name, route.path): route.dialect for name in ROUTES for route in ROUTES[name]}
    own = {key: dialect for key, dialect in CONTRACT.items() if key[0] != "server"}
    assert table == own
    assert tuple(ROUTES) == NAMES


def test_each_is_told_with_its_dialect():
    visitor = Visitor()
    app.serve(settings(), ready=visitor)
    told = visitor.serving.endpoints
    assert [place.dialect for place in told] == list(CONTRACT.values())
    for place, (_, path) in zip(told, CONTRACT, strict=True):
        assert path_of(place.url) == path
        assert place.about
    assert len({port_of(place.url) for place in told}) == 6
    assert visitor.serving.rest.startswith("http://127.0.0.1:")


def test_bytes_on_a_socket_at_each():
    first, asked, refused = [], [], []

    async def look(serving: app.Serving) -> None:
        for key, url in urls_of(serving).items():
            wire = await Wire.open(port_of(url), path_of(url))
            assert (await wire.response())[0] == 101
            if WELCOMES[CONTRACT[key]] is None:
                wire.say(LISTEN)
            first.append(await wire.message())
            await wire.bye()
            wire = await Wire.open(port_of(url), path_of(url) + "?dialect=trading-api")
            assert (await wire.response())[0] == 101
            asked.append((await wire.message())["event"])
            await wire.bye()
            wire = await Wire.open(port_of(url), path_of(url) + "?dialect=klingon")
            refused.append((await wire.response())[0])
            await wire.bye()

    visit(look)
    for message, ((_, path), dialect) in zip(first, CONTRACT.items(), strict=True):
        job = path.endswith("{job_uuid}")
        assert message.get("type") == ("subscribed" if job else WELCOMES[dialect])
        assert message.get("job_uuid") == ("job-7" if job else None)
    assert asked == ["CONNECTED"] * len(CONTRACT)
    assert refused == [400] * len(CONTRACT)


def test_a_library_at_each():
    heard = []

    async def look(serving: app.Serving) -> None:
        for url in list(urls_of(serving).values())[:LIVE]:
            target = f"{url}?dialect=trading-api&subscriptions=S:AAPL:quote"
            async with websockets.connect(target, proxy=None) as client:
                assert json.loads(await client.recv())["event"] == "CONNECTED"
                heard.append(json.loads(await client.recv())["quote"]["bid"])

    visit(look)
    assert heard == ["102"] * LIVE


def test_health_at_each_port_and_the_script_at_one():
    found = []

    async def look(serving: app.Serving) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            ports = dict.fromkeys(port_of(url) for url in urls_of(serving).values())
            urls = [f"http://127.0.0.1:{port}/healthz" for port in ports]
            found.extend([(await http.get(url)).json() for url in urls])
            script = await http.get(f"{serving.rest}/fastrouter.js")
            assert script.headers["content-type"].startswith("text/javascript")
            assert (await http.get(f"{serving.rest}/ws")).status_code == 426

    visit(look)
    assert found == [{"status": "ok"}] * 6


# ----------------------------------------------------------------- what is shared


def test_limits_hold_for_all_ports_together():
    statuses = []

    async def look(serving: app.Serving) -> None:
        wires = []
        for url in dict.fromkeys(urls_of(serving).values()):
            wires.append(await Wire.open(port_of(url), path_of(url)))
            try:
                statuses.append((await wires[-1].response())[0])
            except (asyncio.IncompleteReadError, ConnectionResetError):
                statuses.append(None)
        for wire in wires:
            await wire.bye()

    visit(look, limits__connections_per_address=3)
    assert statuses == [101] * 3 + [None] * (len(CONTRACT) - 3)


def test_a_signal_drains_them_all():
    heard = []

    async def listen(wire: Wire) -> None:
        code, reason = await wire.closed()
        heard.append((code, reason.startswith("draining; retry_after=")))
        wire.send(frame(code.to_bytes(2, "big"), 8))
        await wire.bye()

    async def look(serving: app.Serving) -> None:
        wires = []
        for url in urls_of(serving).values():
            wires.append(await Wire.open(port_of(url), path_of(url)))
            assert (await wires[-1].response())[0] == 101
        visitor.listening = [asyncio.create_task(listen(wire)) for wire in wires]

    visitor = Visitor(look)
    assert app.serve(settings(server__grace_seconds=5), ready=visitor)
    visitor.task.result()
    assert heard == [(1001, True)] * len(CONTRACT)


def test_tls_and_its_renewal_at_each_port(tmp_path: Path):
    files, new = certify(tmp_path), certify(tmp_path, "new")
    (tmp_path / "all.pem").write_bytes(files.cert.read_bytes() + new.cert.read_bytes())
    trust = ssl.create_default_context(cafile=tmp_path / "all.pem")
    seen = []

    async def handshakes(urls: list[str]) -> None:
        certificates = set()
        for url in urls:
            wire = await Wire.open(port_of(url), path_of(url), HEADERS, trust)
            assert (await wire.response())[0] == 101
            certificates.add(wire.writer.get_extra_info("ssl_object").getpeercert(True))
            await wire.bye()
        seen.append(certificates)

    async def look(serving: app.Serving) -> None:
        assert serving.rest.startswith("https://")
        urls = list(urls_of(serving).values())
        assert all(url.startswith("wss://") for url in urls)
        await handshakes(urls)
        files.cert.write_bytes(new.cert.read_bytes())
        files.key.write_bytes(new.key.read_bytes())
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        await handshakes(urls)
        async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
            url = serving.rest.replace("127.0.0.1", "localhost")
            assert (await http.get(f"{url}/healthz")).status_code == 200

    visit(look, server__cert=files.cert, server__key=files.key)
    old, renewed = seen
    assert len(old) == len(renewed) == 1
    assert renewed == {new.der} != old


# ------------------------------------------------------------------- which there are


@pytest.mark.parametrize("name", NAMES)
def test_one_that_is_taken_is_named_with_what_to_set(name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            app.serve(settings(**{f"ports__{name}": port}))
    said = str(caught.value)
    assert f"cannot listen on 127.0.0.1:{port}: " in said
    assert f"--ports {name}=N, or none with --ports {name}=off" in said
    assert f"FASTROUTER_PORTS__{name.upper()}, ports.{name} in the file" in said


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_off(name):
    visitor = Visitor()
    app.serve(settings(**{f"ports__{name}": "off"}), ready=visitor)
    told = [dialect for _, dialect, _ in visitor.serving.endpoints]
    assert told == [dialect for (port, _), dialect in CONTRACT.items() if port != name]
    assert (visitor.serving.rest is None) == (name == "rest")


def test_without_its_libraries_there_is_no_rest_port(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "fastrouter.control.web", None)
    monkeypatch.delitem(sys.modules, "fastrouter.control.port", raising=False)
    visitor = Visitor()
    app.serve(settings(control__enabled=False, log__format="json"), ready=visitor)
    assert visitor.serving.rest is None
    assert "botcore" not in [dialect for _, dialect, _ in visitor.serving.endpoints]
    assert capfd.readouterr().err.count("no REST port: its libraries are not installed") == 1
