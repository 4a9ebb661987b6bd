"""Where frames end: whatever the cut, and before every header that breaks the rules."""

import random

import pytest

from fastrouter.net.gate import Gate

from .wire import frame

HEAD = b"GET / HTTP/1.1\r\n\r\r\nHost: x\r\n\r\n"
FRAMES = [
    frame(b""),
    frame(b"x", 2),
    frame(b"x" * 125, 9),
    frame(b"x" * 126),
    frame(b"x" * 65535, fin=False),
    frame(b"x" * 65536, 0),
    frame(b"\x03\xe8", 8),
    frame(b"", 10),
]


def through(gate: Gate, data: bytes, cuts: list[int]) -> list[int]:
    """Where in `data` a frame or the handshake ended, read in pieces of these sizes."""
    ends, at = [], 0
    for size in cuts:
        until = min(at + size, len(data))
        while at < until:
            taken = gate.take(data[at:until])
            if gate.broken:
                assert taken == 0
                return ends
            at += taken
            ends.append(at)
    return ends


def boundaries(pieces: list[bytes]) -> list[int]:
    found, at = [], 0
    for piece in pieces:
        at += len(piece)
        found.append(at)
    return found


def test_a_whole_read_ends_at_every_boundary():
    data = b"".join([HEAD, *FRAMES])
    assert through(Gate(1 << 20), data, [len(data)]) == boundaries([HEAD, *FRAMES])


@pytest.mark.parametrize("seed", range(50))
def test_cut_anywhere(seed):
    rng = random.Random(seed)
    pieces = [HEAD, *rng.choices(FRAMES, k=10)]
    data = b"".join(pieces)
    cuts = []
    while sum(cuts) < len(data):
        cuts.append(rng.choice((1, 2, 3, 7, 100, 5000, 70000)))
    ends = through(Gate(1 << 20), data, cuts)
    assert set(boundaries(pieces)) <= set(ends)


BROKEN = {
    "reserved opcode": (frame(b"", 3), 1002),
    "reserved control opcode": (frame(b"", 11), 1002),
    "reserved bit": (frame(b"", rsv=0x10), 1002),
    "not masked": (frame(b"", masked=False), 1002),
    "control in fragments": (frame(b"", 9, fin=False), 1002),
    "long control": (frame(b"x" * 126, 8), 1002),
    "16 bits for 125": (b"\x81\xfe\x00\x7d" + bytes(4), 1002),
    "64 bits for 65535": (b"\x81\xff" + (65535).to_bytes(8, "big") + bytes(4), 1002),
    "top bit": (b"\x81\xff\x80" + bytes(11), 1002),
    "over the limit": (frame(b"", length=1001), 1009),
    "all bits": (b"\x81\xff\x7f" + b"\xff" * 11, 1009),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("step", [1, 10_000])
def test_a_bad_header_stops_right_behind_the_last_good_frame(name, step):
    bad, code = BROKEN[name]
    good = [HEAD, frame(b"x" * 1000)]
    data = b"".join(good) + bad
    gate = Gate(1000)
    ends = through(gate, data, [step] * len(data))
    assert gate.broken[0] == code
    assert boundaries(good)[-1] in ends
    assert max(ends) < len(data)
