"""What a hostile or broken client may send to a port of REST and sessions, as `inputs` does.

An *input* is one request. Legal scripts know the status of each answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from . import inputs
from .inputs import HANDSHAKE, HEADERS, OTHER_TARGETS, TARGETS, Script, cuts, flip, lines

__all__ = ["HELLO", "script"]

EVENT = b'{"kind":"quote","payload":{"symbol":"F:000","bid":1,"ask":2}}'
JSON = "Content-Type: application/json"
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
CLOSE = "Connection: close"
HEAD = 16384  # bytes of a head that are allowed
#: a body -> the status of the answer
BODIES = ((EVENT, 202), (b"[" + EVENT + b"]", 202), (b"{}", 422), (b"{", 400), (b"", 400))
PATHS = (("/healthz", 200), ("/nope", 404), ("/ws", 426), ("/healthz?x=%ff", 200), ("/docs/", 307))
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY", "PRI", "M-SEARCH",
           "get", "", "G" * 5000)  # fmt: skip
VERSIONS = ("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "RTSP/1.0", "")
FRAMING = (
    "Content-Length: 0", "Content-Length: 00000000000000000005", "Content-Length: +5",
    "Content-Length: 5, 5", "Content-Length: 0x5", "Content-Length: 18446744073709551616",
    "Content-Length: 99999999999999999999999", "Content-Length: 9223372036854775807",
    "Content-Length: ", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: identity", "Transfer-Encoding:\tchunked", "Transfer-Encoding : chunked",
    "Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c", "Connection: keep-alive, close",
    "Host: [", "Host: a b", "Content-Type: application/json; charset=\xff", "Trailer: x",
    "Expect: 200-ok", "X: " + "y" * HEAD, "Origin: null", *H2C,
)  # fmt: skip
CHUNKS = (b"0\r\n\r\n", b"5;a=b\r\nabcde\r\n0\r\nA: b\r\n\r\n", b"zz\r\n", b"-1\r\n", b"5\nabcde",
          b"1" * 17 + b"\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"1;" * 9000,
          b"0\r\n" + b"A: b\r\n" * 4000, b"1\r\nx\r\n" * 4000)  # fmt: skip

Asked = tuple[bytes, int]  # a request, and the status of its answer


def script(seed: int, index: int, count: int) -> Script:
    """The connection `index` of a run: about `count` requests, always the same for a seed."""
    rng = random.Random(f"http/{seed}/{index}")
    legal = rng.random() < 0.4
    asked = [rng.choice(LEGAL)(rng, ()) for _ in range(rng.randint(0, 2 * count if legal else 6))]
    parts = [data for data, _ in asked]
    statuses = [status for _, status in asked]
    if legal:
        data, status = rng.choice(LAST)(rng)
        parts.append(data)
        statuses.append(status)
    else:
        parts += [rng.choice(WILD)(rng) for _ in range(rng.choice((1, 1, 2, 5)))]
    data = b"".join(parts)
    expected = tuple(statuses) if legal else ()
    return Script(data, len(parts), legal, cuts(rng, len(data)), expected)


def request(method: str, target: str, headers: tuple[str, ...] = (), body: bytes = b"") -> bytes:
    return lines([f"{method} {target} HTTP/1.1", "Host: localhost", *headers]) + body


HELLO = inputs.alone(request("GET", "/healthz", (CLOSE,)), 200)


# --------------------------------------------------------------------- what is right


def plain(rng: random.Random, headers: tuple[str, ...]) -> Asked:
    path, status = rng.choice(PATHS)
    return request("GET", path, headers), status


def sized(rng: random.Random, headers: tuple[str, ...]) -> Asked:
    body, status = rng.choice(BODIES)
    told = (JSON, f"Content-Length: {len(body)}", *headers)
    return request("POST", "/v1/events", told, body), status


def chunked(rng: random.Random, headers: tuple[str, ...]) -> Asked:
    """A body in chunks, with extensions and a trailer."""
    body, status = rng.choice(BODIES)
    step, extension = rng.randint(1, 70), rng.choice((b"", b";a", b";a=b"))
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    told = b"".join(b"%x%b\r\n%b\r\n" % (len(one), extension, one) for one in pieces)
    told += b"0\r\n" + rng.choice((b"", b"A: b\r\n")) + b"\r\n"
    return request(
        "POST", "/v1/events", (JSON, "Transfer-Encoding: chunked", *headers), told
    ), status


def upgrading(rng: random.Random, headers: tuple[str, ...]) -> Asked:
    """For another protocol if we spoke it, as Java's client asks each time."""
    return rng.choice((plain, sized, chunked))(rng, (*H2C, *headers))


def waiting(rng: random.Random, headers: tuple[str, ...]) -> Asked:
    return rng.choice((sized, chunked))(rng, ("Expect: 100-continue", *headers))


LEGAL = (plain, plain, sized, chunked, upgrading, upgrading, waiting)


def closing(rng: random.Random) -> Asked:
    if rng.random() < 0.3:
        return b"GET /healthz HTTP/1.0\r\n\r\n", 200
    return rng.choice((plain, sized, chunked))(rng, (CLOSE,))


def session(rng: random.Random) -> Asked:
    """A WebSocket, which has to be well."""
    found = [rng.choice(inputs.LEGAL)(rng) for _ in range(rng.randint(0, 5))]
    sentinel = inputs.frame(inputs.SENTINEL, inputs.PING)
    return b"".join([inputs.handshake(rng, rng.choice(TARGETS)), *found, sentinel]), 101


LAST: tuple[Callable[[random.Random], Asked], ...] = (closing, session)


# ---------------------------------------------------------------------- what is wrong


def flipped(rng: random.Random) -> bytes:
    return flip(rng, rng.choice(LEGAL)(rng, ())[0])


def odd(rng: random.Random) -> bytes:
    """A request whose line and headers are what they should not be, and any body."""
    target = rng.choice(TARGETS + OTHER_TARGETS)
    found = [f"{rng.choice(METHODS)} {target} {rng.choice(VERSIONS)}", *HANDSHAKE[1:][:1], JSON]
    for _ in range(rng.randint(0, 4)):
        found.insert(rng.randint(1, len(found)), rng.choice(FRAMING + HEADERS))
    return lines(found) + rng.choice((b"", EVENT, b"abcde", *CHUNKS))


def odd_chunks(rng: random.Random) -> bytes:
    head = request("POST", "/v1/events", (JSON, "Transfer-Encoding: chunked"))
    return head + b"".join(rng.choice(CHUNKS) for _ in range(rng.randint(1, 3)))


def cut_off(rng: random.Random) -> bytes:
    found = rng.choice(LEGAL)(rng, ())[0]
    return found[: rng.randrange(len(found))]


def spliced(rng: random.Random) -> bytes:
    """The beginning of one, and the end of another."""
    end = rng.choice(LEGAL)(rng, ())[0]
    return cut_off(rng) + end[rng.randrange(len(end)) :]


def connecting(rng: random.Random) -> bytes:
    return request("CONNECT", rng.choice(("localhost:1", "/ws", "*", "[::1]:80")), (), b"abc")


def long_head(rng: random.Random) -> bytes:
    """Around what is allowed, in one header or many, or without an end."""
    size = rng.choice((HEAD - 100, HEAD, 2 * HEAD, 8 * HEAD))
    width = rng.choice((10, 1000, size))
    headers = [f"X-{number}: {'x' * width}" for number in range(size // width)]
    found = lines([f"GET {rng.choice(TARGETS)} HTTP/1.1", *HANDSHAKE[1:], *headers])
    return found[:-2] if rng.random() < 0.3 else found


def wild_session(rng: random.Random) -> bytes:
    if rng.random() < 0.5:
        return inputs.wild_handshake(rng) + rng.choice(inputs.LEGAL)(rng)
    return inputs.handshake(rng, rng.choice(TARGETS)) + rng.choice(inputs.WILD)(rng)


def big_body(rng: random.Random) -> bytes:
    size = rng.choice((70_000, 1 << 20, (1 << 20) + 1))
    told = rng.choice((size, size, size - 1, size + 1))
    return request("POST", "/v1/events", (JSON, f"Content-Length: {told}"), b" " * size)


WILD = (*(flipped, odd) * 8, *(odd_chunks, cut_off, spliced, connecting, long_head) * 2,
        *(wild_session,) * 4, inputs.garbage, big_body)  # fmt: skip
