"""Answers of HTTP/1.1: whole, byte by byte, with another behind them; and what is none."""

import asyncio
import socket
import ssl
import struct
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from fastrouter.client.http import MOST_BYTES, Answer, Line, NotHttp

from ..certificates import certify
from ..net.wire import until
from .desk import at

OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "length": (OK + b"Content-Length: 5\r\n\r\nhello", Answer(200, b"hello")),
    "any case, no blank": (OK + b"content-length:5\r\n\r\nhello", Answer(200, b"hello")),
    "no reason": (b"HTTP/1.1 422\r\nContent-Length: 0\r\n\r\n", Answer(422, b"")),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, b"")),
    "chunks": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n",
        Answer(200, b"hello!"),
    ),
    "chunks and trailers": (
        OK + b"Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
        Answer(200, b"0123456789"),
    ),
    "one that is not the last": (
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx",
        Answer(200, b"x"),
    ),
}
LAST = {
    "told": (OK + b"Connection: Close\r\nContent-Length: 1\r\n\r\nx", Answer(200, b"x")),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", Answer(200, b"x")),
    "to its end": (OK + b"\r\nhello", Answer(200, b"hello")),
}
NONE = {
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "another version": b"HTTP/2 200\r\n\r\n",
    "a length that is none": OK + b"Content-Length: -1\r\n\r\n",
    "too long": OK + b"Content-Length: %d\r\n\r\n" % (MOST_BYTES + 1),
    "a coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "a chunk that is none": OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
    "a head without end": OK + b"A: b\r\n" * 20_000,
}


class Peer:
    """Answers every line with the next of some bytes."""

    def __init__(self, *answers: bytes, single: bool = False, closes: bool = False) -> None:
        self.answers = iter(answers)
        self.single = single
        self.closes = closes
        self.connections = 0

    async def __call__(self, reader, writer):
        self.connections += 1
        while await reader.readline():
            answer = next(self.answers)
            size = 1 if self.single else len(answer) or 1
            for place in range(0, len(answer), size):
                writer.write(answer[place : place + size])
                await writer.drain()
                await asyncio.sleep(0)
            if self.closes:
                break


@asynccontextmanager
async def line_to(peer: Peer):
    async with at(peer) as url:
        line = Line("127.0.0.1", urlsplit(url).port)
        yield line
        await line.aclose()


@pytest.mark.parametrize("single", [False, True])
async def test_answers(single):
    async with line_to(Peer(*(answer for answer, _ in ANSWERS.values()), single=single)) as line:
        for _, wanted in ANSWERS.values():
            assert await line.exchange(b"x\n") == wanted


@pytest.mark.parametrize("name", LAST)
async def test_the_last_answer_of_a_connection(name):
    answer, wanted = LAST[name]
    peer = Peer(answer, answer, closes=True)
    async with line_to(peer) as line:
        for _ in range(2):
            assert await line.exchange(b"x\n") == wanted
    assert peer.connections == 2


async def test_a_connection_that_was_reset_meanwhile_is_opened_again():
    """The loop knows by then, and has closed the socket."""
    answer, wanted = ANSWERS["length"]

    async def answer_and_reset(reader, writer):
        await reader.readline()
        writer.write(answer)
        await writer.drain()
        await reset.wait()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    reset = asyncio.Event()
    async with at(answer_and_reset) as url:
        line = Line("127.0.0.1", urlsplit(url).port)
        assert await line.exchange(b"x\n") == wanted
        reset.set()
        await until(line._writer.is_closing)
        assert await line.exchange(b"x\n") == wanted
        await line.aclose()


async def test_who_closes_while_it_connects_has_sent_nothing():
    peer = Peer(ANSWERS["length"][0])
    async with line_to(peer) as line:
        asking = asyncio.create_task(line.exchange(b"x\n"))
        await asyncio.sleep(0)
        await line.aclose()
        with pytest.raises(ConnectionAbortedError, match="closed"):
            await asking
    assert len(list(peer.answers)) == 1


@pytest.mark.parametrize("name", NONE)
async def test_what_is_no_answer(name):
    async with line_to(Peer(NONE[name])) as line:
        with pytest.raises(NotHttp):
            await line.exchange(b"x\n")


@pytest.mark.parametrize("cut", [0, 1, 30, 39])
async def test_an_answer_that_ends_early(cut):
    answer = ANSWERS["length"][0]
    async with line_to(Peer(answer[:cut], closes=True)) as line:
        with pytest.raises(ConnectionResetError, match="hung up"):
            await line.exchange(b"x\n")


async def test_tls(tmp_path):
    """Only of whom we trust; a connection that closes its TLS is closed."""
    files = certify(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(files.cert, files.key)
    answer, wanted = ANSWERS["length"]
    async with at(Peer(answer, answer, closes=True), ssl=serving) as url:
        port = urlsplit(url).port
        line = Line("127.0.0.1", port, files.trusted())
        for _ in range(2):
            assert await line.exchange(b"x\n") == wanted
        await line.aclose()
        line = Line("127.0.0.1", port, ssl.create_default_context())
        with pytest.raises(ssl.SSLCertVerificationError):
            await line.exchange(b"x\n")
        await line.aclose()
