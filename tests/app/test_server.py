"""The whole server, in this process, on its own loop; signals are real."""

import asyncio
import gc
import os
import signal
import socket
import ssl
import sys
from pathlib import Path

import httpx
import pytest
import structlog

from fastrouter import app
from fastrouter.app.collector import GC_THRESHOLDS
from fastrouter.client import connect
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.errors import ConfigError, FeedError
from fastrouter.net.certificate import Certificate

from ..certificates import certify
from ..net.wire import HEADERS, Wire
from ..tokens import SECRET, hs256
from .visit import FLAKY, Visitor, settings


def test_a_client_gets_the_feed_and_a_signal_drains():
    events: list[Quote | Candle | Event] = []

    async def visit(serving: app.Serving) -> None:
        async def consume() -> None:
            async with connect(serving.urls[-1], "S:AAPL:quote", reconnect=False) as connection:
                async for event in connection:
                    events.append(event)
                    if isinstance(event, Quote):
                        seen.set()

        seen = asyncio.Event()
        visitor.consumer = asyncio.create_task(consume())
        await seen.wait()

    visitor = Visitor(visit)
    assert app.serve(settings(), ready=visitor)
    kinds = [getattr(event, "kind", "quote") for event in events]
    assert kinds == ["connection", "quote", "connection"]
    assert events[1].bid == 102
    assert events[-1].payload["event"] == "DISCONNECTING"


def test_what_is_told_when_ready():
    visitor = Visitor()
    app.serve(settings(server__paths=["/", "/ws"]), ready=visitor)
    serving = visitor.serving
    assert serving.urls == (f"ws://127.0.0.1:{serving.port}/", f"ws://127.0.0.1:{serving.port}/ws")
    assert serving.feed == "scripted, then wait"
    assert serving.control.startswith("http://127.0.0.1:")
    assert serving.rest.startswith("http://127.0.0.1:")
    shown = [
        (url.split(":")[2].partition("/")[2], dialect) for url, dialect, _ in serving.endpoints
    ]
    assert shown == [
        ("", "trading-api"),
        ("ws", "trading-api"),
        ("ws", "botcore"),
        ("stream", "alpaca"),
        ("ws", "botcore-ai"),
        ("api/ws/events", "dgbit"),
        ("api/ws/jobs/{job_uuid}", "dgbit"),
        ("ws", "orchestrator"),
        ("ws", "orchestrator"),
        ("ws", "trading-api"),
    ]


@pytest.mark.parametrize(("signals", "grace"), [(2, 60), (1, 0.1)])
def test_a_client_that_never_answers_the_close_is_cut(
    signals: int, grace: float, capfd: pytest.CaptureFixture[str]
):
    """… by a second signal, or by the end of the grace."""
    mute = socket.socket()
    mute.setblocking(False)

    async def until(words: bytes) -> None:
        heard = b""
        while words not in heard:
            heard += await asyncio.get_running_loop().sock_recv(mute, 4096)

    async def visit(serving: app.Serving) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(mute, ("127.0.0.1", serving.port))
        await loop.sock_sendall(
            mute,
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        )
        await until(b'"CONNECTED"')
        if signals == 2:
            os.kill(os.getpid(), signal.SIGTERM)
            await until(b'"DISCONNECTING"')

    chosen = settings(server__grace_seconds=grace, log__format="json")
    with mute:
        assert app.serve(chosen, ready=Visitor(visit)) is (signals == 1)
    log = capfd.readouterr().err
    assert '"drained": false' in log
    assert '"cut": 1' in log


def test_a_feed_that_ends_leaves_the_server_running(capfd: pytest.CaptureFixture[str]):
    async def visit(serving: app.Serving) -> None:
        async with connect(serving.urls[0], "S:AAPL:quote") as connection:
            async for event in connection:
                if isinstance(event, Quote):
                    assert event.bid == 102
                    break

    visitor = Visitor(visit)
    assert app.serve(settings(feed__spec="scripted:end", log__format="json"), ready=visitor)
    assert not visitor.task.exception()
    log = capfd.readouterr().err
    assert '"published": 3' in log
    assert '"event": "feed ended"' in log


def test_the_end_of_the_feed_can_end_the_server():
    assert app.serve(settings(feed__spec="scripted:end"), exit_when_done=True)


def test_a_feed_that_fails_ends_the_server_with_its_error():
    with pytest.raises(FeedError, match="line 4: the source is gone"):
        app.serve(settings(feed__spec="scripted:fail"))


def test_a_feed_that_fails_is_opened_again_when_asked():
    """… and the sessions learn of it."""
    FLAKY[:] = ["fail", "fail", "wait"]
    events: list[str] = []

    async def visit(serving: app.Serving) -> None:
        async with connect(serving.urls[0], "S:AAPL:order", reconnect=False) as connection:
            async for event in connection:
                events.append(event.payload["event"])
                if events[-2:] == ["RECONNECTING", "CONNECTED"]:
                    break

    visitor = Visitor(visit)
    assert app.serve(settings(feed__spec="flaky", feed__retry_seconds=0.05), ready=visitor)
    assert not visitor.task.exception()
    assert events[0] == "CONNECTED"


def test_a_feed_that_crashes_shows_where():
    with pytest.raises(ZeroDivisionError):
        app.serve(settings(feed__spec="scripted:crash"))


def test_a_taken_port_says_what_to_set():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127.0.0.1:{port}.*choose another with --port"):
            app.serve(settings(server__port=port))


def test_a_taken_control_port_says_what_to_set():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = rf"127.0.0.1:{port}.*--control-port, or none with --no-control .*control\.port"
        with pytest.raises(ConfigError, match=said):
            app.serve(settings(control__port=port))


def test_without_a_control_port():
    visitor = Visitor()
    app.serve(settings(control__enabled=False), ready=visitor)
    assert visitor.serving.control is None


def test_without_its_libraries_there_is_no_control_port(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "fastrouter.control.api", None)
    visitor = Visitor()
    app.serve(settings(log__format="json"), ready=visitor)
    assert visitor.serving.control is None
    assert capfd.readouterr().err.count("no control port: its libraries are not installed") == 1


def test_the_control_port_shows_the_sessions():
    found = []

    async def visit(serving: app.Serving) -> None:
        async with (
            connect(serving.urls[0], "S:AAPL:quote", reconnect=False) as connection,
            httpx.AsyncClient(base_url=serving.control, trust_env=False) as http,
        ):
            await anext(connection)
            await anext(connection)
            (session,) = (await http.get("/sessions")).json()["sessions"]
            found.extend([session["subscriptions"], (await http.get("/metrics")).text])

    visitor = Visitor(visit)
    assert app.serve(settings(), ready=visitor)
    assert not visitor.task.exception()
    subscriptions, metrics = found
    assert subscriptions == ["S:AAPL:quote"]
    assert 'fastrouter_events_total{kind="quote"} 3.0' in metrics
    assert 'fastrouter_sessions{dialect="trading-api"} 1.0' in metrics
    assert "fastrouter_feed_lag_seconds" not in metrics


def test_the_control_port_shows_what_trades():
    found = []

    async def visit(serving: app.Serving) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            order = {"symbol": "S:AAPL", "side": "buy", "qty": "1", "type": "market"}
            answer = await http.post(f"{serving.rest}/v2/orders", json=order)
            assert answer.status_code == 200, answer.text
            found.append((await http.get(f"{serving.control}/metrics")).text)

    visitor = Visitor(visit)
    assert app.serve(settings(), ready=visitor)
    assert not visitor.task.exception()
    (metrics,) = found
    assert 'fastrouter_orders_total{event="accepted"} 1.0' in metrics
    assert "fastrouter_order_change_seconds_count 1.0" in metrics
    assert 'fastrouter_strategies{status="STOPPED"} 1.0' in metrics
    assert 'fastrouter_jobs{status="running"} 0.0' in metrics


def test_tls_and_its_renewal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """A broken file is told and changes nothing; a good one is what the next handshake gets."""
    files, new = certify(tmp_path), certify(tmp_path, "new")
    old, seen = files.cert.read_bytes(), []
    reload, reloaded = Certificate.reload, asyncio.Event()

    def reload_and_tell(certificate: Certificate) -> None:
        reloaded.set()
        reload(certificate)

    monkeypatch.setattr(Certificate, "reload", reload_and_tell)

    async def handshake(serving: app.Serving) -> None:
        context = ssl.create_default_context(cafile=tmp_path / "all.pem")
        _, writer = await asyncio.open_connection("127.0.0.1", serving.port, ssl=context)
        seen.append(writer.get_extra_info("ssl_object").getpeercert(True))
        writer.close()
        await writer.wait_closed()

    async def renew(cert: bytes, key: bytes) -> None:
        files.cert.write_bytes(cert)
        files.key.write_bytes(key)
        reloaded.clear()
        os.kill(os.getpid(), signal.SIGHUP)
        await reloaded.wait()

    async def visit(serving: app.Serving) -> None:
        assert serving.urls[0].startswith("wss://")
        await handshake(serving)
        await renew(b"broken", b"")
        await handshake(serving)
        await renew(new.cert.read_bytes(), new.key.read_bytes())
        await handshake(serving)

    (tmp_path / "all.pem").write_bytes(old + new.cert.read_bytes())
    visitor = Visitor(visit)
    chosen = settings(server__cert=files.cert, server__key=files.key, log__format="json")
    assert app.serve(chosen, ready=visitor)
    assert not visitor.task.exception()
    assert seen[0] == seen[1] != seen[2] == new.der
    log = capfd.readouterr().err
    assert log.count("certificate not renewed") == 1
    assert '"level": "error"' in log
    assert log.count('"certificate renewed"') == 1


def test_a_hangup_without_a_certificate_changes_nothing(capfd: pytest.CaptureFixture[str]):
    async def visit(serving: app.Serving) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        async with connect(serving.urls[0], "S:AAPL:quote", reconnect=False) as connection:
            await anext(connection)

    visitor = Visitor(visit)
    assert app.serve(settings(log__format="json"), ready=visitor)
    assert not visitor.task.exception()
    assert capfd.readouterr().err.count("nothing to reload") == 1


def test_settings_reach_the_server():
    async def visit(serving: app.Serving) -> None:
        async with connect(f"ws://127.0.0.1:{serving.port}/other", reconnect=False) as connection:
            events = [await anext(connection) for _ in range(2)]
        assert events[1].symbol == "S:AAPL"

    visitor = Visitor(visit)
    chosen = settings(server__paths="/other", server__subscriptions="S:AAPL:quote")
    assert app.serve(chosen, ready=visitor)
    assert not visitor.task.exception()


def test_the_collector_is_settled():
    frozen = []

    async def visit(serving: app.Serving) -> None:
        frozen.append((gc.get_freeze_count(), gc.get_threshold()))

    app.serve(settings(), ready=Visitor(visit))
    ((count, thresholds),) = frozen
    assert count > 10_000
    assert thresholds == GC_THRESHOLDS


def test_what_is_configured_is_served():
    """… auth, origins and limits: who has no token is told nothing."""
    statuses = []

    async def ask(serving: app.Serving, target: str, headers: str = "") -> None:
        wire = await Wire.open(serving.port, target, HEADERS + headers)
        statuses.append((await wire.response())[0])
        await wire.bye()

    async def visit(serving: app.Serving) -> None:
        await ask(serving, "/ws?token=bad")
        await ask(serving, f"/ws?token={hs256()}", "Origin: https://evil\r\n")
        await ask(serving, f"/ws?token={hs256()}", "X: " + "x" * 600 + "\r\n")
        await ask(serving, f"/ws?token={hs256()}")

    chosen = settings(
        auth__secret=SECRET.decode(),
        server__allowed_origins="https://desk.example",
        limits__header_bytes=700,
    )
    visitor = Visitor(visit)
    assert app.serve(chosen, ready=visitor)
    visitor.task.result()
    assert statuses == [401, 403, 431, 101]


@pytest.mark.parametrize(
    ("overrides", "ports"),
    [
        ({}, []),
        (
            {"server__host": "0.0.0.0", "control__host": "::", "ports__ai": "off"},
            ["server", "rest", "market", "risk", "backtest", "control"],
        ),
        ({"server__host": "localhost", "control__enabled": False, "control__host": "::"}, []),
        ({"server__host": "0.0.0.0", "auth__secret": SECRET}, []),
    ],
)
def test_an_open_port_is_warned_of(overrides: dict, ports: list[str]):
    with structlog.testing.capture_logs() as logs:
        app.server._warn_of_open_ports(settings(**overrides))
    assert [line["port"] for line in logs] == ports
