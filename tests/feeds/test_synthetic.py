"""The synthetic feed: what it publishes, and when by a clock that only sleeping moves."""

import asyncio
import re

import numpy as np
import pytest

from fastrouter.core.dtypes import QUOTE_DTYPE
from fastrouter.errors import FeedError
from fastrouter.feeds import FEEDS, open_feed
from fastrouter.feeds.market import BLOCK, Market, market_symbols
from fastrouter.feeds.pace import GRAIN, NAP, SLACK, Pace
from fastrouter.feeds.synthetic import SyntheticFeed

from .peer import NOON, Recorder, S, Time


async def record(time=None, **options):
    time = time or Time()
    feed = SyntheticFeed(clock=time.clock, sleep=time.sleep, **options)
    router = Recorder(time.clock)
    await feed.run(router)
    return feed, router


# What it publishes


async def test_quotes_are_sound_and_on_their_ticks():
    _, router = await record(symbols=50, rate=None, limit=60_000)
    quotes = router.quotes
    assert len(quotes) == 60_000
    for name in ("bid", "ask", "last", "bid_size", "ask_size"):
        assert np.isfinite(quotes[name]).all()
        assert (quotes[name] > 0).all()
    assert (quotes["bid"] < quotes["ask"]).all()
    assert (quotes["bid"] <= quotes["last"]).all()
    assert (quotes["last"] <= quotes["ask"]).all()
    for symbol, places in [(b"S:AAPL", 2), (b"C:BTCUSD", 1), (b"C:ETHUSD", 2), (b"C:EURUSD", 5)]:
        rows = quotes[quotes["symbol"] == symbol]
        assert len(rows) > 100
        for name in ("bid", "ask", "last"):
            assert rows[name].tolist() == [round(v, places) for v in rows[name].tolist()]
        spreads = np.rint((rows["ask"] - rows["bid"]) * 10**places)
        assert len(np.unique(spreads)) > 3
        assert len(np.unique(rows["last"])) > 20, "prices move"
    assert (quotes["bid_size"][quotes["symbol"] == b"S:AAPL"] % 100 == 0).all()
    assert (quotes["bid_size"][quotes["symbol"] == b"C:BTCUSD"] % 1 != 0).any()


def test_every_symbol_ticks_once_before_any_ticks_twice():
    names = market_symbols(BLOCK + 10)
    market = Market(names, 1)
    seen = np.concatenate([market.take(BLOCK), market.take(BLOCK)])["symbol"][: len(names)]
    assert [name.decode() for name in seen.tolist()] == list(names)


def test_prices_stay_near_home_for_ever():
    market = Market(("S:A", "C:XYZUSD"), 1)
    first = market.take(2)["last"].copy()
    for _ in range(400):
        market.take(BLOCK)
    last = market.take(BLOCK)
    for name, home in zip((b"S:A", b"C:XYZUSD"), first, strict=True):
        prices = last["last"][last["symbol"] == name]
        assert (prices > home / 3).all()
        assert (prices < home * 3).all()


def test_symbols_begin_with_familiar_ones():
    assert market_symbols(8) == (
        *("S:AAPL", "S:MSFT", "S:GOOGL", "C:BTCUSD", "C:ETHUSD", "C:EURUSD"),
        *("S:SYM0001", "S:SYM0002"),
    )
    assert market_symbols(1) == ("S:AAPL",)
    assert market_symbols(["X:Y"]) == ("X:Y",)


async def test_the_same_seed_gives_the_same_quotes_however_they_are_paced():
    fields = [name for name in QUOTE_DTYPE.names if name != "time"]
    fast = (await record(rate=None, limit=20_000, seed=7))[1].quotes[fields]
    paced = (await record(rate=12_345.6, limit=20_000, seed=7))[1].quotes[fields]
    other = (await record(rate=None, limit=20_000, seed=8))[1].quotes[fields]
    assert (fast == paced).all()
    assert (fast["last"] != other["last"]).any()


# When


async def test_paced_quotes_are_due_one_by_one_and_stamped_by_the_wall():
    feed, router = await record(Time(), rate=100, limit=50)
    assert feed.published == 50
    times = router.quotes["time"]
    assert np.abs(times - (NOON + np.arange(50) * S // 100)).max() <= GRAIN
    assert all(at == rows["time"][0] for at, rows in router.batches)


async def test_a_sleep_that_is_late_does_not_add_up():
    time = Time(late=3_000_000)
    _, router = await record(time, rate=10_000, limit=20_000)
    assert 0 <= time.now - (NOON + 2 * S) <= 5_000_000
    assert max(len(rows) for _, rows in router.batches) <= 60
    assert router.drains >= len(router.batches)


async def test_a_fast_rate_wakes_once_a_millisecond():
    time = Time()
    _, router = await record(time, rate=1_000_000, limit=100_000)
    assert min(time.naps) * S == pytest.approx(GRAIN)
    assert len(router.batches) <= 130


async def test_catching_up_is_bounded():
    time = Time()
    feed = SyntheticFeed(rate=1000, limit=2000, symbols=1, clock=time.clock, sleep=time.sleep)
    router = Recorder(time.clock)
    drained = router.drained

    async def stall():
        if router.drains == 10:
            time.now += 60 * S
        await drained()

    router.drained = stall
    await feed.run(router)
    assert max(len(rows) for _, rows in router.batches) <= SLACK // 1_000_000 + 1
    assert time.now > NOON + 61 * S


async def test_a_clock_set_back_stops_nothing():
    time = Time()
    pace = Pace(clock=time.clock, sleep=time.sleep)
    pace.start(0)
    await pace.wait(S)
    time.now -= 3600 * S
    reached = await pace.wait(2 * S)
    assert 2 * S <= reached <= 2 * S + GRAIN
    assert sum(time.naps) < 2.1


async def test_long_waits_are_cut_into_naps():
    time = Time()
    pace = Pace(0.5, clock=time.clock, sleep=time.sleep)
    pace.start(100)
    assert await pace.wait(100 + 3 * S) >= 100 + 3 * S
    assert time.now - NOON == 6 * S
    assert max(time.naps) * S == NAP


async def test_a_simulated_clock_is_the_same_every_time():
    a = (await record(Time(), rate=500, limit=2000, start=NOON))[1]
    b = (await record(Time(NOON + 12345, late=7_777), rate=500, limit=2000, start=NOON))[1]
    assert (a.quotes == b.quotes).all()
    assert a.quotes["time"].tolist() == [NOON + i * S // 500 for i in range(2000)]
    fast = (await record(rate=None, limit=10, start=5))[1]
    assert fast.quotes["time"].tolist() == [5 + i * 1_000_000 for i in range(10)]


async def test_as_fast_as_possible_waits_for_the_router_after_each_block():
    feed, router = await record(rate=None, limit=1000, block=100)
    assert feed.published == 1000
    assert router.drains == len(router.batches)
    assert max(len(rows) for _, rows in router.batches) == 100


async def test_it_runs_until_it_is_cancelled():
    feed = SyntheticFeed(rate=None)
    router = Recorder()
    enough = asyncio.Event()

    async def drained():
        router.drains += 1
        if router.drains == 10:
            enough.set()
        await asyncio.sleep(0)

    router.drained = drained
    task = asyncio.create_task(feed.run(router))
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert feed.published == len(router.quotes) > 0


# Candles


async def test_a_simulated_clock_closes_what_is_silent():
    """One quote every 90 s: its 1m candle closes at the minute, its 1s candle at the second."""
    time = Time(NOON + 12 * 3600 * S)
    feed = SyntheticFeed(
        symbols=1, rate=1 / 90, limit=3, start=NOON, clock=time.clock, sleep=time.sleep
    )
    router = Recorder(lambda: time.now - 12 * 3600 * S - NOON, ("1s", "1m"))
    await feed.run(router)
    expected = [(1, "1s"), (60, "1m"), (91, "1s"), (120, "1m")]
    assert [candle.timeframe for _, candle in router.closed] == [frame for _, frame in expected]
    for (at, _), (second, _) in zip(router.closed, expected, strict=True):
        assert 0 <= at - second * S <= 2 * GRAIN


async def test_a_simulated_clock_that_nothing_paces_closes_them_too():
    feed = SyntheticFeed(symbols=500, rate=None, limit=5000, start=NOON)
    router = Recorder(candles=("1s",))
    await feed.run(router)
    ends = [candle.time + S for _, candle in router.closed]
    assert ends == sorted(ends)
    assert sum(candle.volume for _, candle in router.closed) == 4000


async def test_the_wall_clocks_candles_are_left_to_the_router():
    time = Time()
    feed = SyntheticFeed(symbols=1, rate=1 / 90, limit=3, clock=time.clock, sleep=time.sleep)
    router = Recorder(time.clock, ("1s", "1m"))
    router.close_candles = None  # it would raise
    await feed.run(router)
    assert [candle.timeframe for _, candle in router.closed] == ["1s", "1m"] * 2


# The registry


def test_a_feed_is_opened_by_its_name():
    feed = open_feed("synthetic", symbols=3, rate=None, seed=2)
    assert feed.describe() == ("synthetic: 3 symbols, as fast as possible, seed 2")
    assert "2.5 quotes/s" in open_feed("synthetic", rate=2.5).describe()
    assert (feed.published, feed.bad_rows) == (0, 0)


@pytest.mark.parametrize("spec", ["", "nats:x", "Synthetic", "replay.csv"])
def test_an_unknown_feed_is_told_what_there_is(spec):
    with pytest.raises(FeedError, match=r"allowed: synthetic, replay:FILE") as caught:
        open_feed(spec)
    assert repr(spec) in str(caught.value)


@pytest.mark.parametrize("spec", ["synthetic:x", "replay", "replay:"])
def test_a_target_too_many_or_too_few_is_refused(spec):
    with pytest.raises(FeedError, match=re.escape(f"feed {spec!r}:")):
        open_feed(spec)


def test_an_unknown_option_is_told_the_known_ones():
    with pytest.raises(FeedError, match=r"'colour'; options: symbols, rate, seed"):
        open_feed("synthetic", colour="red")


def test_every_row_of_the_registry_has_a_form():
    from fastrouter.feeds import FORMS

    assert [form.partition(":")[0] for form in FORMS] == list(FEEDS)


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 0},
        {"rate": -1.0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"symbols": 0},
        {"symbols": []},
        {"symbols": ["A", "A"]},
        {"symbols": [""]},
        {"symbols": ["S:" + "A" * 31]},
        {"seed": -1},
        {"seed": 1.5},
        {"limit": -1},
        {"block": 0},
    ],
)
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(FeedError):
        SyntheticFeed(**options)
