"""What a router's events become, in the tail and in the spool."""

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE
from fastrouter.core.event import Candle
from fastrouter.core.record import Record
from fastrouter.core.router import Router
from fastrouter.journal.entry import record_of
from fastrouter.journal.keeper import Keeper
from fastrouter.journal.packed import unpack
from fastrouter.journal.spool import Spool
from fastrouter.journal.tail import Tail

START = 1_735_689_600_000_000_000
MINUTE = 60_000_000_000
CANDLE = Candle("S:A", timeframe="5m", open=1.5, high=2.0, low=0.1, close=1e-9, volume=3.0,
                time=START)  # fmt: skip


class Writer:
    """Notes what it is told; `makes` says what it makes room for."""

    def __init__(self, spool):
        self.spool = spool
        self.told = []
        self.makes = False

    def wake(self):
        self.told.append("wake")

    def make_room(self):
        self.told.append("make_room")
        if self.makes:
            self.spool.release(self.spool.head)
        return self.makes

    def lose(self, event, again):
        self.told.append((event, again))


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool", 4096)
    yield spool
    spool.close()


@pytest.fixture
def writer(spool):
    return Writer(spool)


@pytest.fixture
def keeper(spool, writer):
    return Keeper(Tail(1 << 20), spool, writer)


@pytest.fixture
def router(keeper):
    return Router(clock=Clock(START), recorder=keeper)


def fields(record):
    return (record.id, record.seq, record.time, record.kind, record.event_type, record.symbol,
            record.account, record.payload)  # fmt: skip


def kept(keeper):
    return [fields(record_of(entry)) for entry in keeper.tail.page(0, 1 << 20)]


def test_what_is_published_is_in_tail_and_spool_as_it_was(router, keeper, spool):
    order = {"event": "ORDER_FILLED", "deep": [{"x": None}, 1.5, 'quote " and \\']}
    router.publish("order", order, symbol="S:é", account="me")
    order["event"] = "changed"
    router.publish("signal", [], time=5)
    router.publish(CANDLE)
    found = kept(keeper)
    assert found[0][:7] == (1, 1, START, "order", "order", "S:é", "me")
    assert found[0][7]["event"] == "ORDER_FILLED"
    assert found[0][7]["deep"] == order["deep"]
    assert found[1] == (2, 1, 5, "signal", "signal", "", "", [])
    assert found[2] == (3, 1, START + 5 * MINUTE, "candle", "candle@5m", "S:A", "", CANDLE)
    assert [unpack(data) for data in spool.entries()] == keeper.tail.page(0, 1 << 20)
    assert keeper.recorded == 3


def test_rows_of_a_batch(router, keeper):
    rows = np.zeros(3, CANDLE_DTYPE)
    rows["symbol"], rows["timeframe"], rows["time"] = "S:A", "5m", START
    rows["open"], rows["high"], rows["low"], rows["close"], rows["volume"] = 1.5, 2, 0.1, 1e-9, 3
    rows["closed"] = [True, False, True]
    router.publish_batch(rows)
    assert [(record[0], record[1], record[7]) for record in kept(keeper)] == [
        (1, 1, CANDLE), (3, 3, CANDLE),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "event_type", "payload"),
    [("order", "order", {"n": 1}), ("candle", "candle@5m", CANDLE)],
)
def test_a_record(keeper, kind, event_type, payload):
    record = Record(kind=kind, event_type=event_type, symbol="S:A", payload=payload, id=7, seq=3,
                    account="me" if kind == "order" else "", time=1000)  # fmt: skip
    keeper.record(record)
    assert kept(keeper) == [fields(record)]


def test_the_writer_is_woken_once_until_it_has_noticed(router, spool, writer):
    for _ in range(3):
        router.publish("order", {})
    assert writer.told == ["wake"]
    spool.noticed = False
    router.publish("order", {})
    assert writer.told == ["wake", "wake"]


def publish_until_told(router, writer):
    spool_full = router.last_id
    while writer.told in ([], ["wake"]):
        router.publish("order", {"x": "x" * 100})
        spool_full = router.last_id
    return spool_full


def test_what_finds_no_room_is_lost_for_the_file_not_for_the_tail(router, keeper, writer, spool):
    first = publish_until_told(router, writer)
    router.publish("order", {"x": "x" * 100})
    assert writer.told == ["wake", "make_room", (first, False), (first + 1, True)]
    assert len(keeper.tail) == first + 1
    spool.release(spool.head)
    router.publish("order", {})
    writer.makes = True
    del writer.told[:]
    publish_until_told(router, writer)
    assert writer.told == ["make_room"]


def test_a_writer_that_makes_room_loses_nothing(router, writer, spool):
    writer.makes = True
    last = publish_until_told(router, writer)
    assert writer.told == ["wake", "make_room"]
    assert [unpack(data).id for data in spool.entries()] == [last]


def test_memory_only():
    keeper = Keeper(Tail(1 << 20))
    Router(clock=Clock(START), recorder=keeper).publish("order", {"n": 1})
    assert kept(keeper)[0][7] == {"n": 1}
