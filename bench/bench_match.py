"""Who gets what: the first quote of a symbol, a subscription, and a publish among many symbols.

A pattern that matches nothing must cost a publish nothing, whatever their number and that of the
symbols. Publishing to symbols all over the table misses the processor's caches; "hot" publishes to
a hundred of them and so leaves only what the code does.
"""

import numpy as np
import pytest

from fastrouter.bench.aims import Aim, ratio
from fastrouter.bench.stream import START
from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import QUOTE_DTYPE
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink, NullSink
from fastrouter.dialects import load

ROWS = 10_000
HOT = 100
COUNTS = (HOT, 10_000, 100_000)
MANY = COUNTS[-1]
PATTERNS = 1_000

AIMS = [
    Aim(
        f"a publish among {symbols:,} symbols, {patterns:,} patterns, to one of {HOT}, none",
        1.25,
        ratio(f"publish[hot-{patterns}-{symbols}]", f"publish[hot-0-{HOT}]"),
    )
    for symbols in COUNTS
    for patterns in (0, PATTERNS)
    if symbols + patterns > HOT
]


def table(names):
    """One quote of each symbol."""
    rows = np.zeros(len(names), QUOTE_DTYPE)
    rows["symbol"] = names
    rows["time"] = START
    rows["bid"], rows["ask"], rows["last"] = 10.01, 10.03, 10.02
    return rows


def symbols(count):
    return np.array([b"S:%06d" % number for number in range(count)], "S32")


def listened(patterns, router=None):
    """A router and sessions that each have a pattern which begins as the symbols do."""
    router = router or Router(clock=Clock(START))
    dialect = load("trading-api")
    for number in range(patterns):
        router.attach(NullSink(), dialect).subscribe([(f"S:{number:03}*Q", "quote")])
    return router


@pytest.mark.parametrize("patterns", [0, 1, PATTERNS])
def test_first_quote_of_a_symbol(per_item, patterns):
    rows = table(symbols(ROWS))
    routers = [listened(patterns)]
    routers[0].publish_batch(rows)
    assert routers[0].counters().topics == ROWS
    assert routers[0].counters().encoded == 0

    def setup():
        routers[0] = listened(patterns)

    setup()
    per_item(lambda: routers[0].publish_batch(rows), ROWS, setup=setup, rounds=20)


SUBSCRIPTIONS = {
    "symbol": ([(f"S:{number:06}", "quote") for number in range(0, MANY, MANY // 100)], 100),
    "narrow": ([("S:0001*", "quote")], 100),
    "all": ([("*", "quote")], MANY),
}


@pytest.fixture(scope="module")
def full():
    """A router that has the last quote of 100,000 symbols."""
    router = Router(clock=Clock(START))
    router.publish_batch(table(symbols(MANY)))
    return router


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_subscribe(per_item, full, name):
    """A pattern; sending the snapshots is not in it."""
    patterns, matched = SUBSCRIPTIONS[name]
    sink = MemorySink()
    outbox = full.attach(sink, load("trading-api"))
    outbox.subscribe(patterns)
    while full.flush():
        pass
    assert len(sink.messages()) == matched
    outbox.close()
    boxes = []
    dialect = load("trading-api")

    def setup():
        for box in boxes:
            box.close()
        boxes[:] = [full.attach(NullSink(), dialect)]
        while full.flush():
            pass

    per_item(lambda: boxes[0].subscribe(patterns), len(patterns), setup=setup, rounds=20)
    setup()
    boxes[0].close()


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_unsubscribe(per_item, full, name):
    patterns, _ = SUBSCRIPTIONS[name]
    outbox = full.attach(NullSink(), load("trading-api"))

    def setup():
        outbox.subscribe(patterns)
        while full.flush():
            pass

    per_item(lambda: outbox.unsubscribe(patterns), len(patterns), setup=setup, rounds=20)
    before = full.counters().encoded
    full.publish_batch(table(symbols(1)))
    assert full.counters().encoded == before
    outbox.close()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("patterns", [0, PATTERNS])
@pytest.mark.parametrize("touched", ["hot", "all"])
def test_publish(per_item, touched, patterns, count):
    """A row of `publish_batch` to a symbol that nobody listens to."""
    names = symbols(count)
    router = listened(patterns)
    router.publish_batch(table(names))
    rng = np.random.default_rng(5)
    wanted = rng.permutation(count)[:HOT] if touched == "hot" else np.arange(count)
    rows = table(names[rng.choice(wanted, ROWS)])
    router.publish_batch(rows)
    seen = router.counters()
    assert (seen.topics, seen.published, seen.encoded) == (count, count + ROWS, 0)
    per_item(lambda: router.publish_batch(rows), ROWS)
