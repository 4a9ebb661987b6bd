"""CandleBuilder against a group-by that knows nothing of it."""

import numpy as np
import pytest

from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.feeds.candles import CandleBuilder

S = 10**9


def quotes(*rows):
    """Quotes from (symbol, seconds, last)."""
    out = np.zeros(len(rows), QUOTE_DTYPE)
    for row, (symbol, seconds, last) in zip(out, rows, strict=True):
        row["symbol"], row["time"], row["last"] = symbol, round(seconds * S), last
    return out


def ticks(rng, n, symbols=7, start=1_700_000_000 * S, gap=S):
    out = np.zeros(n, QUOTE_DTYPE)
    names = np.array([f"S:SYM{i:04}" for i in range(symbols - 1)] + ["C:" + "X" * 30], "S32")
    out["symbol"] = names[rng.integers(0, symbols, n)]
    out["time"] = start + np.cumsum(rng.integers(0, gap, n))
    out["last"] = rng.lognormal(3, 1, n).round(2)
    return out


def grouped(rows, timeframe, volumes=None):
    """(symbol, open time) -> (open, high, low, close, volume), by pyarrow."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {
            "symbol": pa.array(rows["symbol"].tolist()),
            "time": rows["time"] // TIMEFRAMES[timeframe] * TIMEFRAMES[timeframe],
            "last": rows["last"],
            "volume": np.ones(len(rows)) if volumes is None else volumes,
        }
    )
    columns = [("last", "first"), ("last", "max"), ("last", "min"), ("last", "last")]
    found = table.group_by(["symbol", "time"], use_threads=False).aggregate(
        [*columns, ("volume", "sum")]
    )
    names = ["symbol", "time", "last_first", "last_max", "last_min", "last_last", "volume_sum"]
    return {row[:2]: row[2:] for row in zip(*(found[n].to_pylist() for n in names), strict=True)}


def as_groups(candles, timeframe):
    rows = candles[candles["timeframe"] == timeframe.encode()]
    fields = ["symbol", "time", "open", "high", "low", "close", "volume"]
    found = {row[:2]: row[2:] for row in rows[fields].tolist()}
    assert len(found) == len(rows), "a candle came twice"
    return found


@pytest.mark.parametrize("block", [1, 64, 5000])
@pytest.mark.parametrize("with_volumes", [False, True])
def test_candles_are_those_of_a_group_by(block, with_volumes):
    rng = np.random.default_rng(block)
    rows = ticks(rng, 5000)
    volumes = rng.integers(0, 1000, 5000) / 8 if with_volumes else None
    builder = CandleBuilder(("1s", "1m", "1h"))
    out = []
    for at in range(0, len(rows), block):
        part = slice(at, at + block)
        out.append(builder.update(rows[part], None if volumes is None else volumes[part]))
    closed = np.concatenate(out)
    assert closed["closed"].all()
    forming = builder.forming()
    assert not forming["closed"].any()
    everything = np.concatenate([closed, forming])
    for timeframe in builder.timeframes:
        assert as_groups(everything, timeframe) == grouped(rows, timeframe, volumes)
    assert builder.late == builder.skipped == 0


def test_candles_of_a_topic_close_in_rising_order():
    rng = np.random.default_rng(5)
    rows = ticks(rng, 5000)
    rows["time"] += rng.integers(-5 * S, 5 * S, 5000)
    builder = CandleBuilder()
    closed = np.concatenate([builder.update(rows), builder.close_until(2**62)])
    assert builder.late > 0
    for topic in np.unique(closed[["symbol", "timeframe"]]):
        times = closed["time"][closed[["symbol", "timeframe"]] == topic]
        assert (np.diff(times) > 0).all()


def test_times_before_the_epoch_align_too():
    builder = CandleBuilder(("1m",))
    builder.update(quotes(("S:A", -0.5, 1.0), ("S:A", -59.0, 2.0)))
    assert builder.forming()["time"].tolist() == [-60 * S]


def test_out_of_order_within_the_candle_counts_but_leaves_open_and_close():
    builder = CandleBuilder(("1m",))
    builder.update(quotes(("S:A", 10, 5.0), ("S:A", 30, 6.0), ("S:A", 20, 9.0), ("S:A", 5, 1.0)))
    candle = builder.forming()[0]
    assert candle[["open", "high", "low", "close", "volume"]].tolist() == (5.0, 9.0, 1.0, 6.0, 4.0)
    assert builder.late == 0


def test_older_than_the_candle_is_dropped_and_counted():
    builder = CandleBuilder(("1s", "1m"))
    builder.update(quotes(("S:A", 61, 5.0), ("S:A", 59, 9.0)))
    assert builder.late == 2
    builder.update(quotes(("S:A", 62, 5.0), ("S:A", 61.5, 9.0)))
    assert builder.late == 3, "late for 1s, in time for 1m"
    assert builder.forming()["high"].tolist() == [5.0, 9.0]


def test_the_clock_closes_what_is_silent():
    builder = CandleBuilder(("1s", "1m"))
    builder.update(quotes(("S:A", 0.2, 5.0), ("S:B", 0.3, 7.0)))
    assert builder.next_close == S
    assert len(builder.close_until(S - 1)) == 0
    closed = builder.close_until(S)
    assert closed[["symbol", "timeframe", "close", "closed"]].tolist() == [
        (b"S:A", b"1s", 5.0, True),
        (b"S:B", b"1s", 7.0, True),
    ]
    assert builder.next_close == 60 * S
    builder.update(quotes(("S:A", 0.9, 6.0)))
    assert builder.late == 1, "a closed candle does not open again"
    assert len(builder.close_until(60 * S)) == 2
    assert len(builder.forming()) == 0
    assert builder.next_close == 2**63 - 1


def test_only_what_changed_is_forming_anew():
    builder = CandleBuilder(("1m",))
    builder.update(quotes(("S:A", 1, 5.0), ("S:B", 1, 7.0)))
    assert len(builder.forming(changed=True)) == 2
    assert len(builder.forming(changed=True)) == 0
    builder.update(quotes(("S:B", 2, 8.0)))
    assert builder.forming(changed=True)["symbol"].tolist() == [b"S:B"]
    assert len(builder.forming()) == 2


def test_prices_that_are_not_finite_are_left_out():
    builder = CandleBuilder(("1m",))
    builder.update(quotes(("S:A", 1, np.nan), ("S:A", 2, np.inf), ("S:A", 3, 4.0)))
    builder.update(quotes(("S:A", 4, 9.0)), [np.nan])
    assert builder.skipped == 3
    assert builder.forming()["volume"].tolist() == [1.0]


def test_symbols_of_full_length_are_kept_apart():
    names = ["S:" + "A" * 29 + end for end in "BC"]
    builder = CandleBuilder(("1m",))
    builder.update(quotes((names[0], 1, 1.0), (names[1], 1, 2.0)))
    assert builder.forming()["symbol"].tolist() == [name.encode() for name in names]


def test_strided_and_empty_arrays():
    rows = ticks(np.random.default_rng(1), 100)
    straight, strided = CandleBuilder(), CandleBuilder()
    assert (straight.update(rows[::2].copy()) == strided.update(rows[::2])).all()
    empty = straight.update(rows[:0])
    assert empty.dtype == CANDLE_DTYPE
    assert len(empty) == 0


def test_what_it_returns_is_the_callers():
    builder = CandleBuilder(("1m",))
    builder.update(quotes(("S:A", 1, 5.0)))
    first = builder.forming()
    builder.update(quotes(("S:A", 2, 6.0)))
    builder.forming()
    assert first["close"].tolist() == [5.0]


@pytest.mark.parametrize("names", [("1x",), ("1s", "1s")])
def test_wrong_timeframes_are_refused(names):
    with pytest.raises(ValueError, match=r"allowed|repeat"):
        CandleBuilder(names)


def test_wrong_arrays_are_refused():
    builder = CandleBuilder()
    with pytest.raises(TypeError, match="QUOTE_DTYPE"):
        builder.update([1, 2])
    with pytest.raises(TypeError, match="QUOTE_DTYPE"):
        builder.update(np.zeros(3))
    with pytest.raises(ValueError, match="one dimension"):
        builder.update(np.zeros((2, 2), QUOTE_DTYPE))
    with pytest.raises(ValueError, match="1 volumes for 2 quotes"):
        builder.update(np.zeros(2, QUOTE_DTYPE), [1.0])
