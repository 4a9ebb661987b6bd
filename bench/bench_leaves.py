"""What a number, a timestamp and a lookup cost in the C leaves, beside std::to_chars and orjson.

What the loops wrote is checked before they are timed. Each call does 10,000 items.
"""

import numpy as np
import orjson
import pytest

from fastrouter.bench.loops import InternLoop, write_doubles, write_integers, write_times

ITEMS = 10_000
ROOM = 33 * ITEMS


def doubles(shape):
    rng = np.random.default_rng(1)
    bid = rng.integers(100, 5_000_000, ITEMS) / 100
    return {
        "tick 0.01": bid,
        "tick 0.00001": rng.integers(100_000, 200_000, ITEMS) / 100_000,
        "mid of two ticks": (bid + (bid + 0.01)) / 2,
        "17 digits": rng.random(ITEMS) * 1000,
        "whole": rng.integers(1, 10_000, ITEMS).astype(float),
        "ticks, an eighth of 17 digits": np.where(np.arange(ITEMS) % 8, bid, bid * np.pi),
    }[shape]


SHAPES = (
    "tick 0.01",
    "tick 0.00001",
    "mid of two ticks",
    "17 digits",
    "whole",
    "ticks, an eighth of 17 digits",
)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["leaf", "to_chars"])
def test_double(per_item, name, shape):
    items = doubles(shape)
    out = bytearray(ROOM)

    def call():
        return write_doubles(items, out, name == "to_chars")

    texts = out[: call()].decode().split(",")[:-1]
    assert [float(text) for text in texts] == items.tolist()
    assert sum(map(len, texts)) <= sum(len(repr(item)) for item in items.tolist())
    per_item(call, ITEMS, rounds=200)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["list", "numpy"])
def test_double_orjson(per_item, name, shape):
    items = doubles(shape)
    source = items.tolist() if name == "list" else items
    assert orjson.loads(orjson.dumps(source, option=orjson.OPT_SERIALIZE_NUMPY)) == items.tolist()
    per_item(lambda: orjson.dumps(source, option=orjson.OPT_SERIALIZE_NUMPY), ITEMS, rounds=200)


@pytest.mark.parametrize("shape", ["rising from 10^6", "all magnitudes"])
@pytest.mark.parametrize("name", ["leaf", "to_chars"])
def test_u64(per_item, name, shape):
    items = np.arange(10**6, 10**6 + ITEMS, dtype=np.uint64)
    if shape == "all magnitudes":
        rng = np.random.default_rng(2)
        items = rng.integers(0, 2**64, ITEMS, dtype=np.uint64) >> rng.integers(
            0, 64, ITEMS, dtype=np.uint64
        )
    out = bytearray(ROOM)

    def call():
        return write_integers(items, out, name == "to_chars")

    assert out[: call()].decode() == "".join(f"{item}," for item in items.tolist())
    per_item(call, ITEMS, rounds=200)


@pytest.mark.parametrize(("shape", "step"), [("one second", 99_000), ("all seconds", 10**9)])
def test_iso8601(per_item, shape, step):
    start = 1_735_689_600 * 10**9
    items = np.arange(start, start + ITEMS * step, step, dtype=np.int64)
    out = bytearray(ROOM)
    wanted = np.datetime_as_string(items.astype("datetime64[ns]"), unit="us")
    assert out[: write_times(items, out)].decode() == "".join(f"{text}Z," for text in wanted)
    per_item(lambda: write_times(items, out), ITEMS, rounds=200)


@pytest.mark.parametrize("symbols", [200, 5_000, 200_000])
def test_intern_find(per_item, symbols):
    """Keys of 8 bytes in random order; 200,000 of them do not fit the second-level cache."""
    keys = np.frombuffer(b"".join(b"S:%06d" % i for i in range(symbols)), dtype="S8")
    wanted = np.random.default_rng(3).integers(0, symbols, ITEMS)
    items = keys[wanted].view("u1")
    table = InternLoop(keys.view("u1"))
    assert table.sum(items) == wanted.sum()
    per_item(lambda: table.sum(items), ITEMS, rounds=200)
