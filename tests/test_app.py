"""The whole server, in this process, on its own loop; signals are real."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from fastrouter import app, config
from fastrouter.client import connect
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.errors import ConfigError, FeedError
from fastrouter.feeds import FEEDS


class Scripted:
    """A feed of three quotes that then ends, fails or waits, as its spec says."""

    def __init__(self, then: str = "end") -> None:
        self.published = self.candles = self.bad_rows = 0
        self._then = then

    def describe(self) -> str:
        return f"scripted, then {self._then}"

    async def run(self, router) -> None:
        for number in range(3):
            router.publish(Quote("S:AAPL", bid=100 + number, ask=101 + number))
            self.published += 1
        if self._then == "fail":
            raise FeedError("line 4: the source is gone")
        if self._then == "crash":
            raise ZeroDivisionError
        if self._then == "wait":
            await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def _restore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`app.serve` owns its process; give back what it takes."""
    monkeypatch.setitem(FEEDS, "scripted", "tests.test_app:Scripted")
    thresholds, root = gc.get_threshold(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def settings(**overrides: object) -> config.Settings:
    keys = {name.replace("__", "."): value for name, value in overrides.items()}
    return config.load(None, {"server.port": 0, "feed.spec": "scripted:wait", **keys}).settings


class Visitor:
    """Does something while the server runs, then asks it to stop."""

    def __init__(self, visit: Callable[[app.Serving], object] | None = None) -> None:
        self.visit = visit
        self.task: asyncio.Task[None] | None = None
        self.serving: app.Serving | None = None

    def __call__(self, serving: app.Serving) -> None:
        self.serving = serving
        self.task = asyncio.get_running_loop().create_task(self._run(serving))

    async def _run(self, serving: app.Serving) -> None:
        try:
            if self.visit is not None:
                await self.visit(serving)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)


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
    assert serving.urls == [f"ws://127.0.0.1:{serving.port}/", f"ws://127.0.0.1:{serving.port}/ws"]
    assert (serving.dialect, serving.feed) == ("trading-api", "scripted, then wait")
    assert app.Serving("::1", 1, ("/",), "d", "f").urls == ["ws://[::1]:1/"]


def test_a_second_signal_cuts_the_drain_short():
    """… of a client that never answers the close."""
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
        os.kill(os.getpid(), signal.SIGTERM)
        await until(b'"DISCONNECTING"')

    with mute:
        assert not app.serve(settings(server__grace_seconds=60), ready=Visitor(visit))


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


def test_a_feed_that_crashes_shows_where():
    with pytest.raises(ZeroDivisionError):
        app.serve(settings(feed__spec="scripted:crash"))


def test_a_taken_port_says_what_to_set():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127.0.0.1:{port}.*choose another with --port"):
            app.serve(settings(server__port=port))


def test_settings_reach_the_server():
    async def visit(serving: app.Serving) -> None:
        async with connect(f"ws://127.0.0.1:{serving.port}/other", reconnect=False) as connection:
            events = [await anext(connection) for _ in range(2)]
        assert events[1].symbol == "S:AAPL"

    visitor = Visitor(visit)
    chosen = settings(server__paths="/other", server__subscriptions="S:AAPL:quote")
    assert app.serve(chosen, ready=visitor)
    assert not visitor.task.exception()


@pytest.mark.parametrize(
    ("overrides", "spec", "options"),
    [
        (
            {"feed.synthetic.rate": "max", "feed.synthetic.symbols": 5},
            "synthetic",
            {"symbols": 5, "rate": None, "seed": 1},
        ),
        (
            {"feed.spec": "replay:a.csv", "feed.replay.symbol": "C:EURUSD", "feed.replay.speed": 9},
            "replay:a.csv",
            {"symbol": "C:EURUSD", "speed": 9, "kind": None, "columns": None, "loop": False},
        ),
        (
            {"feed.spec": "replay", "feed.replay.file": "b.csv", "feed.replay.columns": "time=0"},
            "replay:b.csv",
            {"columns": {"time": 0}, "speed": 1.0, "strict": False, "timeframe": None},
        ),
        (
            {
                "feed.spec": "wss://h/ws",
                "feed.upstream.token": "t",
                "feed.upstream.cafile": "a.pem",
            },
            "wss://h/ws",
            {"token": "t", "cafile": Path("a.pem"), "subscriptions": None, "conflate": None},
        ),
    ],
)
def test_feeds_are_opened_with_their_settings(
    overrides: dict, spec: str, options: dict, monkeypatch: pytest.MonkeyPatch
):
    opened = []
    monkeypatch.setattr(app, "open_feed", lambda *args, **kwargs: opened.append((args, kwargs)))
    app.feed_of(config.load(None, overrides).settings.feed)
    ((args, kwargs),) = opened
    assert args == (spec,)
    assert options.items() <= kwargs.items()


def test_a_replay_of_nothing():
    with pytest.raises(ConfigError, match="names no file"):
        app.feed_of(config.load(None, {"feed.spec": "replay"}).settings.feed)


def test_the_collector_is_settled():
    frozen = []

    async def visit(serving: app.Serving) -> None:
        frozen.append((gc.get_freeze_count(), gc.get_threshold()))

    app.serve(settings(), ready=Visitor(visit))
    ((count, thresholds),) = frozen
    assert count > 10_000
    assert thresholds == app.GC_THRESHOLDS
