"""A relay: an upstream server, our router, and who is connected to it, over real sockets."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from fastrouter import Candle, Event, Quote, Router
from fastrouter.client import Surroundings, connect
from fastrouter.errors import FeedError
from fastrouter.feeds import open_feed
from fastrouter.feeds.upstream import EVERYTHING, UpstreamFeed
from fastrouter.journal.bookmark import Bookmark
from fastrouter.journal.journal import Journal
from tests import payloads
from tests.client.conftest import GAP, Script, connection_event, order, quote, serving, take


class Publisher:
    """Remembers what it was given, and waits for a number of it."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.batches = 0
        self._changed = asyncio.Event()

    def publish(self, event: object) -> None:
        self.events.append(event)
        self._changed.set()

    def publish_batch(self, rows: object) -> None:
        raise AssertionError("a relay publishes events")

    @contextmanager
    def batch(self):
        self.batches += 1
        yield

    async def drained(self) -> None:
        await asyncio.sleep(0)

    async def has(self, count: int) -> list[Any]:
        while len(self.events) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.events


@asynccontextmanager
async def relaying(feed: UpstreamFeed, router: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(feed.run(router))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def at_once() -> Surroundings:
    """Comes back without waiting."""
    return Surroundings(sleep=lambda seconds: asyncio.sleep(0))


def url_of(server) -> str:
    return f"ws://127.0.0.1:{server.port}/ws"


# ---- what is published


async def test_everything_is_asked_for_and_relayed_with_its_own_times():
    upstream, publisher = Router(), Publisher()
    server = await upstream.serve("127.0.0.1", 0)
    feed = UpstreamFeed(url_of(server))
    connected = asyncio.Event()
    feed.on_state = lambda up: connected.set()
    upstream.publish(Quote("S:AAPL", bid=1.5, ask=2.5, time=5_000))
    async with relaying(feed, publisher):
        await publisher.has(1)
        candle = {"timeframe": "5m", "open": 1, "high": 2, "low": 0.5, "close": 1.5, "volume": 9}
        upstream.publish(Quote("S:AAPL", bid=1.25, ask=2.5, bid_size=3, ask_size=4, time=7_000))
        upstream.publish(Candle("C:X", **candle, time=300 * 10**9))
        upstream.publish("order", payloads.order(1, event="ORDER_FILLED"), time=9_000)
        snapshot, live, closed, filled = await publisher.has(4)
    assert (snapshot.snapshot, snapshot.bid, snapshot.time) == (True, 1.5, 5_000)
    assert (live.bid, live.bid_size, live.ask_size, live.time) == (1.25, 3, 4, 7_000)
    assert (closed.timeframe, closed.volume, closed.time) == ("5m", 9, 300 * 10**9)
    assert (filled.kind, filled.symbol, filled.time) == ("order", "S:A", 9_000)
    assert filled.payload == payloads.order(1, event="ORDER_FILLED")
    assert (feed.published, feed.bad_rows) == (4, 0)
    await server.close()


async def test_downstream_sees_what_upstream_says():
    """Through two routers, byte for byte but for ids."""
    upstream, downstream = Router(), Router()
    server, relay = [await router.serve("127.0.0.1", 0) for router in (upstream, downstream)]
    upstream.publish(Quote("S:AAPL", bid=1, ask=2, time=1_000))
    async with (
        relaying(UpstreamFeed(url_of(server)), downstream),
        connect(url_of(server), "*:quote,*:order") as near,
        connect(url_of(relay), "*:quote,*:order") as far,
    ):
        events = [await take(one, 2) for one in (near, far)]
        for number in range(1, 200):
            time = 1_000_000 * number
            upstream.publish(Quote(f"S:{number % 7}", bid=number, ask=number, time=time))
            upstream.publish("order", payloads.order(number), time=time)
        events = [await take(one, 398) for one in (near, far)]
    for ours, theirs in zip(*events, strict=True):
        assert (ours.symbol, ours.time) == (theirs.symbol, theirs.time)
        if isinstance(ours, Event):
            assert ours.payload == theirs.payload
        else:
            assert (ours.bid, ours.seq) == (theirs.bid, theirs.seq)
    await relay.close()
    await server.close()


async def test_what_arrived_together_is_published_together():
    script = Script(([order(number) for number in range(1, 200)], 1000))
    publisher = Publisher()
    async with serving(script) as url:
        await UpstreamFeed(url).run(publisher)
    assert [event.id for event in publisher.events] == list(range(1, 200))
    assert publisher.batches < 200


async def test_only_events_are_relayed():
    script = Script(
        ([connection_event("CONNECTED"), '{"type":"rate_limit","used":1}', '{"type":"x"}',
          json.dumps({"type": "error", "code": "ODD", "message": "?"}), order(1)], 1000)
    )  # fmt: skip
    publisher = Publisher()
    async with serving(script) as url:
        await UpstreamFeed(url).run(publisher)
    assert [event.id for event in publisher.events] == [1]


async def test_what_cannot_be_published_is_left_out(caplog: pytest.LogCaptureFixture):
    messages = [quote(number, symbol="") for number in range(1, 20)]
    script = Script(([*messages, quote(20)], 1000))
    router = Router()
    async with serving(script) as url:
        feed = UpstreamFeed(url)
        await feed.run(router)
    assert (feed.published, feed.bad_rows) == (1, 19)
    assert len([one for one in caplog.messages if "left out" in one]) == 10


# ---- an upstream that goes and comes


async def test_it_resumes_and_a_snapshot_says_only_what_is_new(at_once: Surroundings):
    script = Script(
        ([order(1), quote(2), quote(3, symbol="S:B")], 1011),
        ([order(4), order(5),
          quote(2, snapshot=True),  # we have it
          quote(6, symbol="S:B", timestamp="2025-01-01T00:00:09Z", snapshot=True),
          quote(7, symbol="S:C", snapshot=True), order(8)], 1000),
    )  # fmt: skip
    publisher = Publisher()
    async with serving(script) as url:
        await UpstreamFeed(url, surroundings=at_once).run(publisher)
    assert [event.id for event in publisher.events] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert script.paths[1].endswith("&since=evt_3")


async def test_an_upstream_that_lost_its_journal(
    at_once: Surroundings, caplog: pytest.LogCaptureFixture
):
    script = Script(([order(900), quote(901)], 1011), ([GAP, order(1), quote(2)], 1000))
    publisher = Publisher()
    async with serving(script) as url:
        await UpstreamFeed(url, surroundings=at_once).run(publisher)
    assert [event.id for event in publisher.events] == [900, 901, 1, 2]
    assert any("RESUME_GAP" in message for message in caplog.messages)


async def test_a_gap_of_the_upstream_is_told_downstream(at_once: Surroundings):
    """To who is there, and to who resumes from before; over sockets."""
    script = Script(([order(900)], 1011), ([GAP, order(1)], 0))
    downstream = Router()
    relay = await downstream.serve("127.0.0.1", 0)
    async with serving(script) as url:
        feed = UpstreamFeed(url, surroundings=at_once)
        feed.on_gap = relay.group.gap
        async with connect(url_of(relay), "*:order") as session:
            await take(session, 1)
            async with relaying(feed, downstream):
                first, gap, second = await take(session, 3)
        assert (gap.kind, gap.payload["code"]) == ("error", "RESUME_GAP")
        assert gap.payload["message"] == "the upstream has a gap: the oldest is evt_1"
        for since, told in ((first.id, 1), (second.id, 0)):
            async with connect(url_of(relay), "*:order", since=since) as session:
                downstream.publish("order", payloads.order(0, reason="last"))
                seen = []
                while not seen or "reason" not in seen[-1].payload:
                    seen += await take(session, 1)
            assert [event.kind for event in seen].count("error") == told
    await relay.close()


async def test_a_bookmark_is_where_the_next_feed_goes_on():
    script = Script(([order(1), order(2)], 4403), ([order(3)], 1000))
    publisher, bookmark = Publisher(), Bookmark("upstream")
    async with serving(script) as url:
        with pytest.raises(FeedError, match="4403"):
            await UpstreamFeed(url, bookmark=bookmark).run(publisher)
        await UpstreamFeed(url, bookmark=bookmark).run(publisher)
    assert [event.id for event in publisher.events] == [1, 2, 3]
    assert script.paths[1].endswith("since=evt_2")
    assert bookmark.position == 3


async def test_a_relay_with_a_journal_asks_for_what_its_downtime_missed(tmp_path: Path):
    """Both are real; the relay's sessions get every order once, over its restart."""
    upstream, numbers, since = Router(), [], 0
    server = await upstream.serve("127.0.0.1", 0)
    for run in range(3):
        with Journal(tmp_path / "journal.db") as journal:
            router = Router(journal=journal)
            relay = await router.serve("127.0.0.1", 0)
            feed = UpstreamFeed(url_of(server), bookmark=journal.bookmark("upstream"))
            feed.on_gap = relay.group.gap
            async with (
                connect(url_of(relay), "*:order", since=since or None) as session,
                relaying(feed, router),
            ):
                await take(session, 1)
                while not server.sessions:  # noqa: ASYNC110 -- a server tells nobody
                    await asyncio.sleep(0)
                upstream.publish("order", payloads.order(2 * run))
                wanted = 1 if run == 0 else 2
                events = await take(session, wanted)
                numbers += [event.payload.get("id") for event in events]
                since = session.last_id
            await relay.close()
        while server.sessions:  # noqa: ASYNC110
            await asyncio.sleep(0)
        upstream.publish("order", payloads.order(2 * run + 1))  # the relay is down
    assert numbers == [str(number) for number in range(5)]
    await server.close()


async def test_a_second_run_goes_on_where_the_first_ended():
    script = Script(([order(1), order(2)], 4403), ([order(3)], 1000))
    publisher = Publisher()
    async with serving(script) as url:
        feed = UpstreamFeed(url)
        with pytest.raises(FeedError, match="4403"):
            await feed.run(publisher)
        await feed.run(publisher)
    assert [event.id for event in publisher.events] == [1, 2, 3]
    assert script.paths[1].endswith("since=evt_2")


async def test_the_state_of_the_upstream_is_told(at_once: Surroundings):
    """… and that of its own upstream."""
    script = Script(
        ([connection_event("CONNECTED"), order(1), connection_event("RECONNECTING"),
          connection_event("RECONNECTING"), connection_event("CONNECTED"), order(2)], 1011),
        ([connection_event("CONNECTED"), order(3), connection_event("DISCONNECTING")], 1001),
        ([order(4)], 1000),
    )  # fmt: skip
    told: list[bool] = []
    async with serving(script) as url:
        feed = UpstreamFeed(url, surroundings=at_once)
        feed.on_state = told.append
        await feed.run(Publisher())
    assert told == [False, True, False, True, False, True]


async def test_an_upstream_that_is_not_there_yet(at_once: Surroundings):
    answers = iter([HTTPStatus.SERVICE_UNAVAILABLE] * 3)

    def answer(peer, request):
        status = next(answers, None)
        return status and peer.respond(status, "later")

    told: list[bool] = []
    async with serving(Script(([order(1)], 1000)), process_request=answer) as url:
        feed = UpstreamFeed(url, surroundings=at_once)
        feed.on_state = told.append
        await feed.run(Publisher())
    assert told == [False, True]


async def test_sessions_outlive_the_upstream(at_once: Surroundings):
    """A real one, killed and started again on its port, without a journal."""
    upstream, downstream = Router(), Router()
    server = await upstream.serve("127.0.0.1", 0)
    port = server.port
    relay = await downstream.serve("127.0.0.1", 0)
    states: asyncio.Queue[bool] = asyncio.Queue()
    feed = UpstreamFeed(url_of(server), surroundings=at_once)
    feed.on_state = states.put_nowait
    async with relaying(feed, downstream), connect(url_of(relay), "*:quote") as session:
        upstream.publish(Quote("S:A", bid=1, ask=1, time=1))
        _, first = await take(session, 2)
        server.abort()
        await server.close()
        assert await states.get() is False

        upstream = Router()
        upstream.publish(Quote("S:A", bid=1, ask=1, time=1))  # the same, with another id
        upstream.publish(Quote("S:B", bid=2, ask=2, time=2))
        server = await upstream.serve("127.0.0.1", port)
        assert await states.get() is True
        (second,) = await take(session, 1)
        upstream.publish(Quote("S:A", bid=3, ask=3, time=3))
        (third,) = await take(session, 1)
        assert [one.bid for one in (first, second, third)] == [1, 2, 3]
        assert (first.seq, third.seq) == (1, 2)
        assert session.stats.sessions == 1
    await relay.close()
    await server.close()


# ---- what it cannot do


async def refused(handler: Callable[..., Any], **options: Any) -> str:
    async with serving(handler, **options) as url:
        with pytest.raises(FeedError) as caught:
            await UpstreamFeed(url + "/?token=secret").run(Publisher())
    assert "secret" not in str(caught.value)
    return f"{caught.value.code} {caught.value}"


@pytest.mark.parametrize("code", ["INVALID_SUBSCRIPTION", "FORBIDDEN"])
async def test_an_upstream_that_refuses_what_is_asked_for(code: str):
    error = json.dumps({"type": "error", "code": code, "message": "'*:odd': no such event type"})
    said = await refused(Script(([error], 0)))
    assert said.startswith(code)
    assert "feed.upstream.subscriptions asks for: '*:odd': no such event type" in said


async def test_an_upstream_that_refuses_us():
    def answer(peer, request):
        assert request.headers.get("Authorization") is None
        return peer.respond(HTTPStatus.UNAUTHORIZED, "no token")

    said = await refused(Script(), process_request=answer)
    assert said.startswith("NOT_AUTHENTICATED the server answered HTTP 401: no token")


@pytest.mark.parametrize(
    ("spec", "options", "said"),
    [
        ("ws://h:0", {}, "is not a WebSocket URL"),
        ("ws://[", {}, "is not a WebSocket URL"),
        ("wss:h", {}, "is not a WebSocket URL"),
        ("wss://h", {"cafile": Path("/none.pem")}, "No such file"),
        ("ws://h", {"colour": 1}, "options: subscriptions, token, conflate, cafile"),
    ],
)
def test_what_cannot_be_an_upstream(spec: str, options: dict[str, Any], said: str):
    with pytest.raises(FeedError, match=said):
        open_feed(spec, **options)


# ---- choices


async def test_choices_reach_the_upstream():
    requests = []

    async def handler(peer) -> None:
        requests.append(peer.request)
        await peer.close(1000)

    async with serving(handler) as url:
        chosen = {"subscriptions": "S:*:quote", "token": "secret", "conflate": "1s"}
        await UpstreamFeed(url, **chosen).run(Publisher())
        await UpstreamFeed(f"{url}/?subscriptions=C:*:quote").run(Publisher())
    assert [request.path for request in requests] == [
        "/?subscriptions=S:*:quote&conflate=1s",
        "/?subscriptions=C:*:quote",
    ]
    assert requests[0].headers["Authorization"] == "Bearer secret"


def test_it_describes_itself_without_secrets():
    feed = open_feed("wss://me:pass@h:1/ws?token=secret")
    assert feed.describe() == "upstream wss://h:1/ws: everything"
    assert open_feed("ws://h", subscriptions="S:*:quote").describe().endswith("ws://h: S:*:quote")


def test_everything_is_every_event_type():
    assert {"*:quote", "*:order", "*:candle@1s", "*:candle@1d"} <= set(EVERYTHING.split(","))


def test_the_log_shows_no_token(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)

    async def run() -> None:
        async with serving(Script(([], 1011), ([GAP], 4408), ([], 1000))) as url:
            surroundings = Surroundings(sleep=lambda seconds: asyncio.sleep(0))
            feed = UpstreamFeed(f"{url}/?token=secret", token="secret", surroundings=surroundings)
            await feed.run(Publisher())

    asyncio.run(run())
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("fastrouter")]
    assert ours
    assert "secret" not in "".join(ours)
