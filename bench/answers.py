"""What a server may answer to a hostile client, whatever that has sent."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Sequence

from fastrouter.errors import CloseCode

from . import inputs

__all__ = ["HUNG", "BadAnswer", "judge", "judge_http"]

STATUSES = {101, 200, 400, 401, 403, 404, 426, 429, 431, 503}
HTTP_STATUSES = STATUSES | {202, 307, 405, 413, 415, 422}
# a client's own code comes back; an internal error is never right
CODES = (set(CloseCode) | {*range(1007, 1015), *range(3000, 5000)}) - {CloseCode.INTERNAL_ERROR}
HUNG = b"\0hung\0"  # stands at the end of an answer that has none
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadAnswer(Exception):
    """The server broke a rule."""


def judge(answer: bytes, legal: bool) -> str:
    """How a session ended: an HTTP status, a close code, ``well`` or ``cut``. Raises BadAnswer."""
    _check_ended(answer)
    if not answer:
        if legal:
            raise BadAnswer("no answer at all")
        return "cut"
    header, blank, stream = answer.partition(b"\r\n\r\n")
    status = _status(header, STATUSES)
    if not blank:
        raise BadAnswer(f"not an HTTP answer: {header[:80]!r}")
    if status != 101:
        if legal:
            raise BadAnswer(f"refused: {header[:80]!r}")
        return f"HTTP {status}"
    return judge_frames(stream, legal)


def judge_http(answer: bytes, statuses: Sequence[int]) -> str:
    """How several requests ended, by the last answer, as `judge` says it. Raises BadAnswer.

    `statuses` are those that have to come, in order, or none: any will do then, and the last
    answer may be cut, as the connection is by who sends what is not HTTP.
    """
    _check_ended(answer)
    found: list[int] = []
    ended, last = "cut", False
    while answer:
        if last:
            raise BadAnswer(f"more behind the last answer: {answer[:80]!r}")
        header, blank, answer = answer.partition(b"\r\n\r\n")
        if header + blank == CONTINUE:
            continue
        if not blank:
            ended = "cut"
            break
        status = _status(header, HTTP_STATUSES)
        found.append(status)
        if status == 101:
            ended, answer = judge_frames(answer, bool(statuses)), b""
            break
        ended, last = f"HTTP {status}", b"connection: close" in header.lower()
        size = re.search(rb"\r\ncontent-length: (\d+)(?:\r\n|$)", header, re.IGNORECASE)
        if size is None:
            raise BadAnswer(f"no content-length: {header[:200]!r}")
        if len(answer) < int(size[1]):
            ended, answer = "cut", b""
            break
        answer = answer[int(size[1]) :]
    if statuses and (found != list(statuses) or ended == "cut"):
        raise BadAnswer(f"{found} {ended}, not {list(statuses)}")
    return ended


def _check_ended(answer: bytes) -> None:
    if answer.endswith(HUNG):
        raise BadAnswer(f"no end in time, after {answer[-80:]!r}")


def _status(header: bytes, allowed: set[int]) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", header)
    if found is None or int(found[1]) not in allowed:
        raise BadAnswer(f"not an HTTP answer: {header[:80]!r}")
    return int(found[1])


def judge_frames(stream: bytes, legal: bool) -> str:
    """How what is behind the handshake ended."""
    ended = "cut"
    for opcode, payload in frames(stream):
        if ended != "cut":
            raise BadAnswer(f"a frame after {ended}")
        if opcode == inputs.TEXT:
            if "type" not in json.loads(payload):
                raise BadAnswer(f"no type: {payload[:80]!r}")
        elif opcode == inputs.CLOSE:
            code = int.from_bytes(payload[:2], "big")
            if code not in CODES:
                raise BadAnswer(f"close code {code}")
            payload[2:].decode()
            ended = f"close {code}"
        elif opcode == inputs.PONG and payload == inputs.SENTINEL and legal:
            return "well"  # events may follow, the last one cut by our own end
        elif opcode not in (inputs.PING, inputs.PONG):
            raise BadAnswer(f"opcode {opcode}")
    if legal:
        raise BadAnswer(f"legal input ended in {ended}")
    return ended


def frames(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each frame; they must be whole, final and not masked."""
    at = 0
    while at < len(stream):
        first, second = stream[at], stream[at + 1] if at + 1 < len(stream) else 0
        size, at = second & 0x7F, at + 2
        if first & 0xF0 != 0x80 or second & 0x80:
            raise BadAnswer(f"frame header {first:#x} {second:#x}")
        if size > 125:
            form, width = (">H", 2) if size == 126 else (">Q", 8)
            (size,) = struct.unpack_from(form, stream, at)
            at += width
        if at + size > len(stream):
            raise BadAnswer("the last frame is not whole")
        yield first & 0xF, stream[at : at + size]
        at += size
