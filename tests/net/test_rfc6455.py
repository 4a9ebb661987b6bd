"""The rules of RFC 6455 as a table: what a client sends, what it gets.

The same rules as the Autobahn suite's, through the same echo, where there is no Python 2.
Numbers in brackets are Autobahn's.
"""

from __future__ import annotations

import asyncio
import itertools
import struct

import pytest

from fastrouter.bench import echo

from .wire import Wire, frame

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
LIMIT = 1 << 20
GREEK = "κόσμε".encode()
BAD_TEXT = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"


def closing(code: int, reason: bytes = b"") -> bytes:
    return struct.pack(">H", code) + reason


def shattered(payload: bytes, opcode: int = TEXT) -> bytes:
    """One byte a fragment."""
    last = len(payload) - 1
    return b"".join(
        frame(payload[i : i + 1], opcode if i == 0 else CONTINUATION, fin=i == last)
        for i in range(len(payload))
    )


def refused(name: str, data: bytes, code: int = 1002, *before: tuple[int, bytes]):
    return pytest.param(data, [*before, (CLOSE, code)], id=name)


def answered(name: str, data: bytes, *answers: tuple[int, bytes]):
    return pytest.param(data, [*answers, (PONG, b"still here")], id=name)


SIZES = [0, 125, 126, 127, 128, 65535, 65536]
OPEN = frame(b"frag", fin=False)  # a text message that is not over

TABLE = [
    *(answered(f"text of {n} [1.1]", frame(b"*" * n), (TEXT, b"*" * n)) for n in SIZES),
    *(answered(f"binary of {n} [1.2]", frame(b"\xfe" * n, BINARY), (BINARY, b"\xfe" * n))
      for n in SIZES),
    answered("ping [2.2]", frame(b"hello", PING), (PONG, b"hello")),
    answered("ping of bytes [2.3]", frame(b"\0\xff\xfe", PING), (PONG, b"\0\xff\xfe")),
    answered("longest ping [2.4]", frame(b"\xfe" * 125, PING), (PONG, b"\xfe" * 125)),
    answered("pong nobody asked for [2.7]", frame(b"", PONG) + frame(b"hi", PONG)),
    answered("ten pings [2.10]", b"".join(frame(b"%d" % i, PING) for i in range(10)),
             *((PONG, b"%d" % i) for i in range(10))),
    refused("ping over 125 [2.5]", frame(b"\xfe" * 126, PING)),
    *(refused(f"reserved bits {rsv:#x} [3.x]", frame(b"x", rsv=rsv) + frame(b"", PING))
      for rsv in range(0x10, 0x80, 0x10)),
    refused("reserved bits after a message [3.2]", frame(b"good") + frame(b"x", rsv=0x20), 1002,
            (TEXT, b"good")),
    *(refused(f"reserved opcode {opcode} [4.x]", frame(b"good") + frame(b"x", opcode), 1002,
              (TEXT, b"good"))
      for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    refused("fragmented ping [5.1]", frame(b"x", PING, fin=False) + frame(b"y", CONTINUATION)),
    refused("fragmented pong [5.2]", frame(b"x", PONG, fin=False) + frame(b"y", CONTINUATION)),
    answered("fragments [5.3]", OPEN + frame(b"ment", CONTINUATION), (TEXT, b"fragment")),
    answered("fragments of one byte [5.5]", shattered(b"fragment"), (TEXT, b"fragment")),
    answered("ping inside a message [5.6]",
             OPEN + frame(b"p", PING) + frame(b"ment", CONTINUATION),
             (PONG, b"p"), (TEXT, b"fragment")),
    answered("empty fragments [6.1]", frame(b"", fin=False) + frame(b"", 0, fin=False)
             + frame(b"", CONTINUATION), (TEXT, b"")),
    answered("binary in fragments", shattered(b"\xff\xfe\0", BINARY), (BINARY, b"\xff\xfe\0")),
    refused("continuation of nothing [5.9]", frame(b"x", CONTINUATION)),
    refused("continuation after a message [5.12]", OPEN + frame(b"ment", CONTINUATION)
            + frame(b"x", CONTINUATION), 1002, (TEXT, b"fragment")),
    refused("open continuation of nothing [5.10]", frame(b"x", CONTINUATION, fin=False)),
    refused("text inside a message [5.15]", OPEN + frame(b"x")),
    refused("binary inside a message [5.18]", OPEN + frame(b"x", BINARY)),
    answered("UTF-8 [6.2]", frame(GREEK), (TEXT, GREEK)),
    answered("UTF-8 cut inside characters [6.2.4]", shattered(GREEK), (TEXT, GREEK)),
    *(answered(f"good text {text!r} [6.5]", frame(text), (TEXT, text)) for text in (
        b"\0", b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf",
        b"\xee\x80\x80", b"\xef\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf")),
    *(refused(f"bad text {text!r} [6.6]", frame(text), 1007) for text in (
        BAD_TEXT, b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf",
        b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80", b"\xf8",
        b"\xfe", b"\xff", b"\xce", b"\xe1\xbd", b"\xf0\x90\x80", b"x\xce")),
    refused("bad text in one-byte fragments [6.3.2]", shattered(BAD_TEXT), 1007),
    refused("bad text in a fragment, at once [6.4.1]", frame(BAD_TEXT, fin=False), 1007),
    refused("a fragment that no text can continue, at once [6.4.2]",
            frame(GREEK + b"\xf4", fin=False) + frame(b"\x90", CONTINUATION, fin=False), 1007),
    refused("text that ends inside a character",
            frame(b"\xce", fin=False) + frame(b"", CONTINUATION), 1007),
    refused("close [7.1.1]", frame(b"good") + frame(closing(1000), CLOSE), 1000, (TEXT, b"good")),
    refused("two closes [7.1.2]", 2 * frame(closing(1000), CLOSE), 1000),
    refused("ping after close [7.1.3]", frame(closing(1000), CLOSE) + frame(b"", PING), 1000),
    refused("text after close [7.1.4]", frame(closing(1000), CLOSE) + frame(b"x"), 1000),
    refused("close inside a message [7.1.5]", OPEN + frame(closing(1000), CLOSE), 1000),
    refused("empty close [7.3.1]", frame(b"", CLOSE), 1000),
    refused("close of one byte [7.3.2]", frame(b"a", CLOSE)),
    refused("close with a reason [7.3.4]", frame(closing(1000, b"bye"), CLOSE), 1000),
    refused("longest close [7.3.5]", frame(closing(1000, b"*" * 123), CLOSE), 1000),
    refused("close over 125 [7.3.6]", frame(closing(1000, b"*" * 124), CLOSE)),
    refused("close with a bad reason [7.5.1]", frame(closing(1000, BAD_TEXT), CLOSE), 1007),
    *(refused(f"close {code} [7.7]", frame(closing(code), CLOSE), code) for code in (
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)),
    *(refused(f"close {code} [7.9]", frame(closing(code), CLOSE)) for code in (
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)),
    refused("not masked", frame(b"good") + frame(b"x", masked=False), 1002, (TEXT, b"good")),
    refused("16 bits for a short length", b"\x81\xfe\0\x7d" + bytes(4)),
    refused("64 bits for a short length", b"\x81\xff" + (65535).to_bytes(8, "big") + bytes(4)),
    refused("63 bits are all there are", b"\x81\xff\x80" + bytes(11)),
    refused("too big by its header [9.x]", frame(b"good") + frame(b"", length=LIMIT + 1),
            1009, (TEXT, b"good")),
    refused("too big in fragments", frame(b"x" * LIMIT, fin=False) + frame(b"y", CONTINUATION),
            1009),
]  # fmt: skip


@pytest.fixture
async def server():
    running = await echo.serve("127.0.0.1", 0, LIMIT)
    running.close_seconds = 0.01  # none of these peers answers a close frame
    yield running
    await running.close(0.2)


async def outcome(wire: Wire) -> list[tuple[int, bytes | int]]:
    """Frames up to the pong of our own ping, or the close with its code."""
    found: list[tuple[int, bytes | int]] = []
    while True:
        opcode, payload = await wire.frame()
        if opcode == CLOSE:
            found.append((opcode, int.from_bytes(payload[:2], "big")))
            await wire.end()
            return found
        found.append((opcode, payload))
        if payload == b"still here":
            return found


def ways(data: bytes) -> list[list[bytes]]:
    """At once; and three bytes at a time when it is short, and nothing follows a close.

    (Who still sends when the server has hung up may lose what it has not read.)
    """
    close = data.find(b"\x88")
    if len(data) > 200 or 0 <= close < len(data) - 2 - (data[close + 1] & 0x7F) - 4:
        return [[data]]
    return [[data], [data[at : at + 3] for at in range(0, len(data), 3)]]


@pytest.mark.parametrize(("data", "expected"), TABLE)
async def test_table(server, data, expected):
    if expected[-1][0] != CLOSE:
        data += frame(b"still here", PING)
    for way in ways(data):
        wire = await Wire.open(server.port, "/")
        assert (await wire.response())[0] == 101
        for piece in way:
            if not wire.writer.transport.is_closing():
                wire.send(piece)
            await asyncio.sleep(0)
        found = await outcome(wire)
        await wire.bye()
        assert found == expected


def test_the_table_names_every_rule_once():
    names = [row.id for row in TABLE]
    assert [name for name, same in itertools.groupby(sorted(names)) if len(list(same)) > 1] == []


async def test_the_longest_message_comes_back_and_a_slow_reader_gets_its_pongs_in_order(server):
    wire = await Wire.open(server.port, "/")
    await wire.response()
    big = b"\xfe" * LIMIT
    wire.send(frame(b"a", PING) + frame(big, BINARY) + frame(b"b", PING))
    assert await wire.frame() == (PONG, b"a")
    assert await wire.frame() == (BINARY, big)
    assert await wire.frame() == (PONG, b"b")
    await wire.bye()
