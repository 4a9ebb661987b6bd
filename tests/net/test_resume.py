"""Coming back, over real sockets: no gap, no duplicate, across restarts of the server too."""

import asyncio

import pytest

from fastrouter import Quote, Router, dialects
from fastrouter.core.dialect import Dialect
from fastrouter.dialects import load
from fastrouter.journal import journal as module
from fastrouter.journal.journal import Journal

from ..journal.events import stored
from ..payloads import order, signal
from .wire import Wire

NEVER = 10**6  # a number no test publishes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


class Run:
    """A server on a journal, as one process would be."""

    def __init__(self, path, **options):
        self.journal = Journal(path, **options)
        self.router = Router(journal=self.journal)

    async def __aenter__(self):
        self.server = await self.router.serve("127.0.0.1", 0)
        self.server.close_seconds = 0.1
        return self

    async def __aexit__(self, *error):
        await self.server.close(grace=0.2)
        self.journal.close()

    def publish(self, first, end):
        for number in range(first, end):
            self.router.publish("order", order(number))


async def orders(wire, last):
    """Read on to the order with that number: all numbers, and the last id. Any error fails."""
    numbers = []
    while not numbers or numbers[-1] != last:
        message = await wire.message()
        assert message["type"] in ("order", "ping"), message
        if message["type"] == "order":
            numbers.append(int(message["order"]["id"]))
    return numbers, message["id"]


async def resumed(run, since, subscriptions="*:order"):
    return await Wire.session(run.server.port, f"/ws?subscriptions={subscriptions}&since={since}")


async def keep_publishing(run, first, until):
    """One order each turn of the loop, until the event is set; the number of the last."""
    while not until.is_set():
        run.publish(first, first + 1)
        first += 1
        await asyncio.sleep(0)
    return first - 1


@pytest.mark.parametrize("kind", ["memory", "file"])
async def test_who_comes_back_misses_nothing_and_gets_nothing_twice(path, kind):
    async with Run(path if kind == "file" else None) as run:
        wire = await Wire.session(run.server.port, "/ws?subscriptions=*:order")
        run.publish(0, 10)
        _, seen = await orders(wire, 9)
        await wire.bye()
        run.publish(10, 500)
        wire = await resumed(run, seen)
        run.publish(500, 510)
        numbers, _ = await orders(wire, 509)
        assert numbers == list(range(10, 510))
        await wire.bye()


async def test_over_a_restart_while_events_keep_coming(path):
    async with Run(path) as run:
        wire = await Wire.session(run.server.port, "/ws?subscriptions=*:order")
        run.publish(0, 3000)
        _, seen = await orders(wire, 2)
        await wire.bye()
    async with Run(path) as run:
        stop = asyncio.Event()
        publishing = asyncio.create_task(keep_publishing(run, 3000, stop))
        wire = await resumed(run, seen)
        numbers, _ = await orders(wire, 3500)
        stop.set()
        last = await publishing
        if last > 3500:
            rest, _ = await orders(wire, last)
            numbers += rest
        assert numbers == list(range(3, last + 1))
        await wire.bye()


async def test_on_a_session_that_is_open(path):
    async with Run(path) as run:
        run.publish(0, 5)
        wire = await Wire.session(run.server.port, "/ws?subscriptions=*:order")
        run.publish(5, 6)
        numbers, seen = await orders(wire, 5)
        assert numbers == [5]
        wire.say({"type": "resume", "since": f"evt_{int(seen[4:]) - 3}"})
        numbers, _ = await orders(wire, 5)
        assert numbers == [3, 4, 5]
        run.publish(6, 7)
        assert (await orders(wire, 6))[0] == [6]
        await wire.bye()


async def test_only_what_it_is_subscribed_to(path):
    async with Run(path) as run:
        for number in range(4):
            run.router.publish("order", order(number, "S:B" if number % 2 else "S:A"))
            run.router.publish("signal", signal(number))
        wire = await resumed(run, "evt_0", "S:A:order")
        assert (await orders(wire, 2))[0] == [0, 2]
        await wire.bye()


async def test_snapshots_come_after_what_was_replayed(path):
    quote = Quote("S:A", bid=1.0, ask=2.0, last=1.5, bid_size=1, ask_size=1)
    async with Run(path) as run:
        run.router.publish(quote)
        run.publish(0, 3)
        wire = await resumed(run, "evt_0", "*:order,*:quote")
        assert (await orders(wire, 2))[0] == [0, 1, 2]
        message = await wire.message()
        assert (message["type"], message["snapshot"]) == ("quote", True)
        await wire.bye()


# --------------------------------------------------------------------- gaps


async def test_an_id_of_another_server_is_a_gap(path):
    async with Run(path) as run:
        run.publish(0, 3)
        wire = await resumed(run, f"evt_{NEVER}")
        error = await wire.message()
        assert (error["type"], error["code"]) == ("error", "RESUME_GAP")
        assert f"evt_{NEVER} is no event of this server; replaying from evt_1," in error["message"]
        assert (await orders(wire, 2))[0] == [0, 1, 2]
        run.publish(3, 4)
        assert (await orders(wire, 3))[0] == [3]
        await wire.bye()


async def test_what_is_no_longer_kept_is_a_gap():
    async with Run(None, max_bytes=2048) as run:
        run.publish(0, 100)
        wire = await resumed(run, f"evt_{run.router.last_id - 50}")
        error = await wire.message()
        oldest = run.journal.tail.first
        assert error["code"] == "RESUME_GAP"
        assert f"replaying from evt_{oldest}, the oldest" in error["message"]
        numbers, _ = await orders(wire, 99)
        assert numbers == list(range(99 - run.router.last_id + oldest, 100))
        await wire.bye()


async def test_an_id_that_is_none_is_refused(path):
    async with Run(path) as run:
        wire = await Wire.session(run.server.port, "/ws?subscriptions=*:order")
        for since in ("evt_", "7", "evt_-1", "evt_x", f"evt_{1 << 64}"):
            wire.say({"type": "resume", "since": since})
            error = await wire.message()
            assert (error["code"], since in error["message"]) == ("INVALID_MESSAGE", True)
        run.publish(0, 1)
        assert (await orders(wire, 0))[0] == [0]
        await wire.bye()


# --------------------------------------------------------------------- many


async def test_five_hundred_at_once(path, monkeypatch):
    monkeypatch.setattr(module, "TAIL_BYTES", 30_000)
    async with Run(path) as run:
        run.publish(0, 500)
        await stored(run.journal)
        wires = [await resumed(run, f"evt_{number % 7 * 10}") for number in range(500)]
        stop = asyncio.Event()
        publishing = asyncio.create_task(keep_publishing(run, 500, stop))
        found = await asyncio.gather(*(orders(wire, 500) for wire in wires))
        stop.set()
        await publishing
        for number, (numbers, _) in enumerate(found):
            assert numbers == list(range(number % 7 * 10, 501))
        assert run.journal.pages.reads < 30
        await asyncio.gather(*(wire.bye() for wire in wires))


async def test_who_does_not_read_holds_up_nobody(path):
    async with Run(path) as run:
        run.router.publish("order", order(-1))
        for number in range(200):
            run.router.publish("order", order(number, reason="x" * 20_000))
        stalled = await resumed(run, "evt_0")
        wire = await resumed(run, "evt_0")
        assert (await orders(wire, 199))[0] == list(range(-1, 200))
        assert (await orders(stalled, 199))[0] == list(range(-1, 200))
        await wire.bye()
        await stalled.bye()


async def test_who_leaves_in_the_middle_leaves_nothing(path):
    async with Run(path) as run:
        for number in range(200):
            run.router.publish("order", order(number, reason="x" * 20_000))
        wire = await resumed(run, "evt_0")
        await wire.bye()
        while run.server.sessions:  # noqa: ASYNC110 -- picows reports in a turn of its own
            await asyncio.sleep(0)
        assert not run.journal.pump.replays
        assert not run.server._resuming._replays


async def test_who_has_got_nothing_yet_resumes_from_its_welcome(path):
    async with Run(path) as run:
        run.publish(0, 3)  # before it came
        wire = await Wire.open(run.server.port, "/ws?subscriptions=*:order")
        await wire.response()
        seen = (await wire.message())["last_id"]
        await wire.bye()
        run.publish(3, 6)
    async with Run(path) as run:
        wire = await resumed(run, seen)
        assert await orders(wire, 5) == ([3, 4, 5], "evt_6")
        await wire.bye()


class NoSignals(Dialect):
    """The trading-api, but it raises for signals."""

    def __init__(self):
        super().__init__("trading-api")
        self.all = load("trading-api")
        self.control = self.all.control
        self.decode = self.all.decode

    def encode(self, event):
        if event.kind == "signal":
            raise ValueError("no signals here")
        return self.all.encode(event)


async def test_a_dialect_that_raises_closes_its_session_and_no_other(path, caplog, monkeypatch):
    monkeypatch.setattr(dialects, "load", lambda name, **options: NoSignals())
    async with Run(path) as run:
        start = run.router.last_id
        run.publish(0, 1)
        run.router.publish("signal", signal(1))
        bad = [await resumed(run, f"evt_{start}", "*:signal,*:order") for _ in range(2)]
        good = await resumed(run, f"evt_{start}")
        assert (await orders(good, 0))[0] == [0]
        for wire in bad:  # what came before the signal is sent
            assert (await orders(wire, 0))[0] == [0]
            assert await wire.closed() == (1011, "replay failed")
            await wire.bye()
        assert run.journal.counters().replay_errors == 2
        assert run.journal.counters().replays == 0
        assert caplog.text.count("a replay failed") == 1
        run.publish(1, 2)
        assert (await orders(good, 1))[0] == [1]
        await good.bye()
