"""Judging sessions: what is a stretch of the journal, and what is not."""

from itertools import accumulate
from types import SimpleNamespace

import pytest

from fastrouter.bench.swarm import Seen, complaint, number, payloads

EVENTS = [10, 12, 15, 16, 20]
SUMS = [0, *accumulate(EVENTS)]


def client(events, gaps=0):
    seen = Seen()
    for event in events:
        seen.note(event)
    return SimpleNamespace(seen=seen, gaps=gaps, connections=2)


@pytest.mark.parametrize("events", [EVENTS, EVENTS[2:], EVENTS[-1:]])
def test_a_stretch_up_to_the_end_is_fine(events):
    assert complaint(client(events), EVENTS, SUMS) is None


@pytest.mark.parametrize(
    ("events", "what"),
    [
        ([], "nothing"),
        ([10, 12, 15, 16], "ended at 16"),
        ([10, 12, 16, 20], "saw 4 of 5"),
        ([10, 12, 12, 15, 16, 20], "twice"),
        ([10, 15, 12, 16, 20], "out of order"),
        ([10, 12, 14, 16, 20], "other events"),
    ],
)
def test_anything_else_is_a_fault(events, what):
    assert what in complaint(client(events), EVENTS, SUMS)


def test_an_announced_gap_is_a_fault():
    assert "gap" in complaint(client(EVENTS, gaps=1), EVENTS, SUMS)


def test_payloads_of_whole_frames_only():
    long = b"\x81\x7e\x00\x80" + b"x" * 128
    data = b"\x81\x02ab" + long + b"\x81\x05abc"
    found = list(payloads(data, 0))
    assert [payload for payload, _ in found] == [b"ab", b"x" * 128]
    assert data[found[-1][1] :] == b"\x81\x05abc"


def test_a_number():
    assert number(b'{"id":"evt_123"}', b'"id":"evt_') == 123
