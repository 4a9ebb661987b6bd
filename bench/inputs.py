"""What a hostile or broken client may send: seeded, and mutated where a reader would look.

An *input* is one handshake or one message. A `script` is all that one connection sends.
"""

from __future__ import annotations

import json
import random
import struct
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
SENTINEL = b"is all well?"

HANDSHAKE = (
    "GET {target} HTTP/1.1",
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)
TARGETS = (
    "/ws", "/", "/ws?subscriptions=*:quote", "/ws?subscriptions=S:T001:order",
    "/ws?since=evt_1", "/ws?since=evt_99999999", "/ws?conflate=250ms", "/ws?conflate=1ms",
    "/ws?token=a.b.c",
    "/ws?since=evt_0&conflate=60s&subscriptions=*:order,*:quote",
    "/ws?dialect=trading-api", "/ws?subscriptions=", "/ws?subscriptions=%00:quote",
    "/ws?subscriptions=S:A:quote,S:A", "/ws?subscriptions=" + "S:*:quote," * 300 + "S:*:quote",
)  # fmt: skip
OTHER_TARGETS = (
    "/ws?since=evt_99999999999999999999",
    "/ws?since=",
    "/ws?since=x",
    "/ws?conflate=-1ms",
    "/ws?conflate=1e308s",
    "/ws?conflate=9" + "9" * 5000 + "s",
    "/ws?dialect=",
    "/healthz",
    "/nope",
    "*",
    "http://localhost/ws",
    "/ws#x",
    "/%",
    "/ws?%ff=%ff",
)
HEADERS = (
    "Origin: http://evil", "Authorization: Bearer x.y.z", "X-Forwarded-For: 1.2.3.4",
    "Content-Length: 5", "Content-Length: -1", "Transfer-Encoding: chunked", "Expect: 100-continue",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Protocol: chat", "Cookie: " + "a" * 4000, " folded: x", "no colon", ": no name",
    "Sec-WebSocket-Version: 8", "Upgrade: h2c", "Connection: close", "Host: \xff\xfe", "X: \0",
)  # fmt: skip

MESSAGES: tuple[dict[str, object], ...] = (
    {"type": "subscribe", "subscriptions": ["S:T001:quote"]},
    {"type": "subscribe", "subscriptions": ["*:quote", "S:T*:candle@5m", "C:*:order"]},
    {"type": "unsubscribe", "subscriptions": ["S:T001:quote"]},
    {"type": "unsubscribe", "subscriptions": ["*:quote", "*:candle"]},
    {"type": "pong", "timestamp": 1},
    {"type": "event_ack", "correlation_id": "a", "events_processed": ["evt_1"], "timestamp": 1},
    {"type": "Authenticate", "token": "a.b.c"},
    {"type": "resume", "since": "evt_1"},
    {"type": "Ping", "timestamp": 1},
    {"type": "ping"},
    {"type": "get_active_strategies"},
    {"type": "start_strategy", "strategyId": "x", "config": {"maxPositionValue": 1}},
)
VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1 << 63, -(1 << 63), 10**400, 1e308, 0.1, "", "\0", "\u2028",
    "S:*:quote", "*:quote", ":", "::", "S:T001:nope", "S:T001:candle@99y", "evt_0", "evt_-1",
    "evt_18446744073709551616", "*" * 200, "x" * 2000, [], {}, [[]], [None], [{}], [1], ["", ""],
    {"type": "subscribe"}, ["*:quote"] * 50, ["S:T*:quote", 1], "𝄞", "\\u0000",
)  # fmt: skip
RAW = (
    b"", b" ", b"null", b"[]", b"{}", b'"x"', b"NaN", b'{"type":NaN}', b'{"type":1e999}', b"{",
    b'{"type":"pong","type":"subscribe"}', b'{"type":"\\ud800"}', b"[" * 3000, b'{"a":' * 1500,
    b'{"type":"subscribe","subscriptions":["' + b"S" * 300 + b':quote"]}', b"\xef\xbb\xbf{}",
    b'{"type":"pong"}{"type":"pong"}', b"1" * 5000, b"-", b'{"type":"pong",}',
)  # fmt: skip
CLOSES = (0, 999, 1000, 1001, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000, 65535)


class Script(NamedTuple):
    """What one connection sends; `legal`: the server has to answer all of it, to the end."""

    data: bytes
    inputs: int
    legal: bool
    cuts: list[int]
    statuses: tuple[int, ...] = ()  # of the answers that have to come, of legal HTTP


def alone(data: bytes, *statuses: int) -> Script:
    """One legal input in one write."""
    return Script(data, 1, True, [len(data)], statuses)


def script(seed: int, index: int, inputs: int) -> Script:
    """The connection `index` of a run: about `inputs` inputs, always the same for a seed."""
    rng = random.Random(f"{seed}/{index}")
    if rng.random() < 0.1:
        data, count, legal = wild_handshake(rng), 1, False
    else:
        count = rng.randint(1, 2 * inputs)
        legal = rng.random() < 0.4
        parts = [handshake(rng, rng.choice(TARGETS))]
        parts += [rng.choice(LEGAL)(rng) for _ in range(count)]
        parts.append(frame(SENTINEL, PING) if legal else rng.choice(WILD)(rng))
        data, count = b"".join(parts), count + 1
    return Script(data, count, legal, cuts(rng, len(data)))


def cuts(rng: random.Random, size: int) -> list[int]:
    """Where the bytes are cut into writes; mostly nowhere."""
    if rng.random() < 0.7:
        return [size]
    return [*sorted(rng.randrange(size + 1) for _ in range(rng.randint(1, 6))), size]


# -------------------------------------------------------------------- handshakes


def handshake(rng: random.Random, target: str) -> bytes:
    return lines([HANDSHAKE[0].format(target=target), *HANDSHAKE[1:]])


def lines(found: list[str]) -> bytes:
    return ("\r\n".join(found) + "\r\n\r\n").encode("latin-1")


def wild_handshake(rng: random.Random) -> bytes:
    target = rng.choice(TARGETS + OTHER_TARGETS)
    found = [HANDSHAKE[0].format(target=target), *HANDSHAKE[1:]]
    for _ in range(rng.randint(0, 3)):
        found.insert(rng.randint(1, len(found)), rng.choice(HEADERS))
    if rng.random() < 0.3:
        del found[rng.randrange(len(found))]
    if rng.random() < 0.05:
        found[1:1] = [f"X-{number}: y" for number in range(rng.choice((100, 130, 3000)))]
    data = lines(found)
    return flip(rng, data) if rng.random() < 0.5 else data


# ------------------------------------------------------------------------ frames


def frame(
    payload: bytes, opcode: int, fin: bool = True, mask: bytes = b"\x11\x22\x33\x44"
) -> bytes:
    return head(opcode, len(payload), fin) + mask + masked(payload, mask)


def head(opcode: int, size: int, fin: bool = True) -> bytes:
    first = (0x80 if fin else 0) | opcode
    if size < 126:
        return bytes((first, 0x80 | size))
    if size < 65536:
        return struct.pack(">BBH", first, 0xFE, size)
    return struct.pack(">BBQ", first, 0xFF, size)


def masked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


def message(rng: random.Random) -> bytes:
    """A JSON message, most often with a field that is not what it should be."""
    body = dict(rng.choice(MESSAGES))
    for _ in range(rng.choice((0, 1, 1, 2))):
        key = rng.choice(list(body) or ["type"])
        if rng.random() < 0.2:
            body.pop(key, None)
        elif rng.random() < 0.2:
            body[rng.choice(("type", "x", "", "subscriptions", "timestamp"))] = rng.choice(VALUES)
        else:
            body[key] = rng.choice(VALUES)
    return json.dumps(body, ensure_ascii=rng.random() < 0.5).encode()


def text_frame(rng: random.Random) -> bytes:
    return frame(message(rng), TEXT, mask=rng.randbytes(4))


def raw_frame(rng: random.Random) -> bytes:
    return frame(rng.choice(RAW), TEXT)


def binary_frame(rng: random.Random) -> bytes:
    return frame(rng.randbytes(rng.choice((0, 1, 100, 5000))), BINARY)


def control_frame(rng: random.Random) -> bytes:
    return frame(rng.randbytes(rng.randint(0, 125)), rng.choice((PING, PONG)))


def fragments(rng: random.Random) -> bytes:
    """A message in pieces, control frames between them."""
    text = message(rng)
    marks = sorted(rng.randrange(len(text) + 1) for _ in range(rng.randint(0, 4)))
    pieces = [text[a:b] for a, b in zip([0, *marks], [*marks, len(text)], strict=True)]
    found = []
    for at, piece in enumerate(pieces):
        found.append(frame(piece, CONTINUATION if at else TEXT, at == len(pieces) - 1))
        if at < len(pieces) - 1 and rng.random() < 0.3:
            found.append(control_frame(rng))
    return b"".join(found)


#: what keeps the connection, however little sense it makes; the first ones come most often
LEGAL = (text_frame, text_frame, text_frame, text_frame, raw_frame, fragments, binary_frame,
         control_frame)  # fmt: skip


# ------------------------------------------------------------------ the last word


def flip(rng: random.Random, data: bytes) -> bytes:
    """Change, drop, double or insert a few bytes."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not found:
            break
        at = rng.randrange(len(found))
        how = rng.randrange(4)
        if how == 0:
            found[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            del found[at : at + rng.randint(1, 4)]
        elif how == 2:
            found[at:at] = found[at : at + rng.randint(1, 40)]
        else:
            found[at:at] = rng.randbytes(rng.randint(1, 4))
    return bytes(found)


def flipped(rng: random.Random) -> bytes:
    return flip(rng, rng.choice(LEGAL)(rng)) + text_frame(rng)


def any_header(rng: random.Random) -> bytes:
    """A header that is anything, with some bytes behind it."""
    size = rng.choice((0, 1, 125, 126, 65535, 65536, 65537, 1 << 30, 1 << 62, (1 << 64) - 1))
    form = rng.choice((7, 16, 64))
    first, mask = rng.randrange(256), rng.choice((0, 0x80, 0x80))
    if form == 7:
        found = bytes((first, mask | size & 0x7F))
    elif form == 16:
        found = struct.pack(">BBH", first, mask | 126, size & 0xFFFF)
    else:
        found = struct.pack(">BBQ", first, mask | 127, size)
    return found + rng.randbytes(rng.randint(0, 300))


def cut_off(rng: random.Random) -> bytes:
    found = rng.choice(LEGAL)(rng)
    return found[: rng.randrange(len(found))]


def garbage(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randint(1, 2000))


def too_big(rng: random.Random) -> bytes:
    size = rng.choice((65536, 65537, 70000))
    return frame(b" " * size, rng.choice((TEXT, BINARY)), rng.random() < 0.5) + text_frame(rng)


def bad_text(rng: random.Random) -> bytes:
    return frame(flip(rng, rng.choice((b"\xff", "κόσμε".encode(), b"\xed\xa0\x80"))), TEXT)


def out_of_turn(rng: random.Random) -> bytes:
    return b"".join(
        frame(b"{}", rng.choice((CONTINUATION, TEXT, BINARY, PING)), rng.random() < 0.5)
        for _ in range(rng.randint(1, 6))
    )


def closing(rng: random.Random) -> bytes:
    code = struct.pack(">H", rng.choice(CLOSES))
    found = frame(rng.choice((b"", b"\x03", code, code + b"bye", code + b"\xff")), CLOSE)
    return found + (rng.choice(LEGAL)(rng) if rng.random() < 0.5 else b"")


HELLO = alone(handshake(random.Random(), "/ws") + frame(SENTINEL, PING))

WILD = (flipped, flipped, any_header, any_header, cut_off, garbage, too_big, bad_text, out_of_turn,
        closing)  # fmt: skip
