"""Several files as one stream, against a plain sort."""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
from fastrouter.engine import merge
from fastrouter.engine.merge import instants, stretches
from fastrouter.engine.track import Block


def block(times: list[int], first: int, dtype=QUOTE_DTYPE) -> Block:
    rows = np.zeros(len(times), dtype)
    rows["time"] = times
    rows["bid" if dtype is QUOTE_DTYPE else "open"] = range(first, first + len(times))
    return Block(np.array(times, np.int64), rows)


def number(row) -> int:
    return int(row["bid" if "bid" in row.dtype.names else "open"])


@st.composite
def tracks(draw) -> list[list[Block]]:
    found = []
    for t in range(draw(st.integers(0, 4))):
        times = sorted(draw(st.lists(st.integers(0, 12), max_size=25)))
        cuts = sorted(draw(st.lists(st.integers(0, len(times)), max_size=5)))
        dtype = CANDLE_DTYPE if t % 2 else QUOTE_DTYPE
        bounds = zip([0, *cuts], [*cuts, len(times)], strict=True)
        found.append([block(times[a:b], a, dtype) for a, b in bounds if b > a])
    return found


@given(tracks(), st.integers(1, 30))
def test_it_is_a_sort_by_time_file_and_row(blocks, portion):
    expected = sorted(
        (int(time), t, number(row))
        for t, track in enumerate(blocks)
        for times, rows, _ in track
        for time, row in zip(times, rows, strict=True)
    )
    kinds = [track[0].rows.dtype if track else None for track in blocks]
    with mock.patch.object(merge, "PORTION", portion):
        merged = list(instants(blocks))
    found = [
        (instant.time, piece.dtype, number(row))
        for instant in merged
        for piece in instant.pieces
        for row in piece
    ]
    assert found == [(time, kinds[t], n) for time, t, n in expected]
    times = [instant.time for instant in merged]
    assert times == sorted(set(times))
    assert sum(instant.events for instant in merged) == len(expected)


def test_it_reads_no_further_than_it_must():
    read: list[str] = []

    def track(name: str, first: int):
        for n in range(1000):
            read.append(name)
            yield block([first + 10 * n + i for i in range(10)], 0)

    stream = instants([track("a", 0), track("b", 5)])
    for _ in range(30):
        next(stream)
    assert len(read) < 12


def test_one_instant_may_span_blocks():
    blocks = [[block([1, 1], 0), block([1], 2), block([1, 2], 3)], [block([1], 0)]]
    (first, second) = instants(blocks)
    assert (first.time, [number(row) for piece in first.pieces for row in piece]) == (
        1,
        [0, 1, 2, 3, 0],
    )
    assert (second.time, second.events) == (2, 1)


@given(tracks(), st.integers(1, 30))
def test_volumes_stay_with_their_rows(blocks, portion):
    with_volumes = [
        [part._replace(volumes=part.rows["bid"] + 0.5) if t % 4 == 0 else part for part in track]
        for t, track in enumerate(blocks)
    ]
    with mock.patch.object(merge, "PORTION", portion):
        plain, found = list(stretches(blocks)), list(stretches(with_volumes))
    assert len(plain) == len(found)
    for one, other in zip(plain, found, strict=True):
        assert one.times.tolist() == other.times.tolist()
        assert (one.whose is None) == (other.whose is None)
        assert all(map(np.array_equal, one.parts, other.parts))
        for rows, volumes in zip(other.parts, other.volumes, strict=False):
            assert volumes is None or volumes.tolist() == (rows["bid"] + 0.5).tolist()
        assert sum(volumes is not None for volumes in other.volumes) in (0, 1, len(other.parts))
