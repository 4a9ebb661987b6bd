"""Who is told of a connection, and when; over sockets: tests/app/rest."""

from __future__ import annotations

import asyncio

import pytest

from fastrouter.control.http import Http
from fastrouter.control.rest import build
from fastrouter.control.web import Web

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade:  websocket\r\nConnection:Upgrade\r\n\r\n"


class Doorman:
    """Writes down what it is told."""

    def __init__(self, welcome: bool = True) -> None:
        self.welcome = welcome
        self.told: list[tuple] = []

    def address_of(self, peer: object) -> str:
        return str(peer)

    def lets_in(self, address: str) -> bool:
        self.told.append(("lets_in", address))
        return self.welcome

    def leave(self, address: str, asked: bool) -> None:
        self.told.append(("leave", address, asked))

    def hand_over(self, transport, address: str, data: bytes) -> None:
        self.told.append(("hand_over", address, data))


class Transport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": "peer"})
        self.written = b""
        self.closed = False

    def write(self, data) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def resume_reading(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass


@pytest.fixture
async def web():
    web = await Web.start(build())
    yield web
    await web.close()


@pytest.fixture
def connection(web):
    """A connection of a doorman's."""
    made: list[Http] = []

    def make(doorman: Doorman, address: str | None = None, seconds: float = 60) -> Http:
        made.append(web.protocol(lambda **uvicorn: Http(doorman, address, seconds, **uvicorn)))
        made[-1].connection_made(Transport())
        return made[-1]

    yield make
    for one in made:
        one.connection_lost(ConnectionResetError())


async def answered(connection: Http) -> None:
    while b"}" not in connection.transport.written:  # noqa: ASYNC110 -- an application's turn
        await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_a_connection_comes_and_goes(connection):
    doorman = Doorman()
    one = connection(doorman)
    one.connection_lost(None)
    assert doorman.told == [("lets_in", "peer"), ("leave", "peer", False)]
    one.address = None  # it is gone


async def test_one_that_asked(connection):
    doorman = Doorman()
    one = connection(doorman, "let in already")
    one.data_received(REQUEST)
    await answered(one)
    one.connection_lost(None)
    assert doorman.told == [("leave", "let in already", True)]
    one.address = None


async def test_one_that_is_not_let_in(connection):
    doorman = Doorman(welcome=False)
    one = connection(doorman)
    assert one.transport is None
    one.connection_lost(None)
    assert doorman.told == [("lets_in", "peer")]


async def test_a_websocket_is_handed_over_with_what_is_behind_it(connection):
    doorman = Doorman()
    one = connection(doorman)
    one.data_received(UPGRADE + b"\x81behind")
    one.connection_lost(None)
    ((_, address, data),) = doorman.told[1:]
    assert address == "peer"
    head, behind = data.split(b"\r\n\r\n")
    assert head.split(b"\r\n")[2:] == [b"upgrade: websocket", b"connection: Upgrade"]
    assert behind == b"\x81behind"
    assert not one.connections
    assert one._cut is None


async def test_another_upgrade_is_a_plain_request(connection):
    doorman = Doorman()
    one = connection(doorman)
    one.data_received(UPGRADE.replace(b"websocket", b"h2c").replace(b"/ws", b"/healthz"))
    await answered(one)
    assert b"HTTP/1.1 200 " in one.transport.written


async def test_what_takes_too_long_is_cut(connection):
    one = connection(Doorman(), seconds=0.01)
    while not one.transport.closed:  # noqa: ASYNC110 -- a timer of its own
        await asyncio.sleep(0.001)


async def test_a_request_in_time_is_not(connection):
    one = connection(Doorman())
    for byte in REQUEST:
        assert one._cut is not None
        one.data_received(bytes([byte]))
    assert one._cut is None
    await answered(one)
    one.data_received(b"G")
    assert one._cut is not None


async def test_half_a_request_behind_one_has_its_own_time(connection):
    one = connection(Doorman())
    one.data_received(REQUEST + REQUEST[:20])
    await answered(one)
    assert one.cycle.response_complete
    assert one._cut is not None
    assert one.timeout_keep_alive_task is None
    one.data_received(REQUEST[20:])
    while not one.cycle.response_complete:  # noqa: ASYNC110 -- an application's turn
        await asyncio.sleep(0)
    assert one._cut is None
    assert one.timeout_keep_alive_task is not None


async def test_an_empty_line_does_not_keep_a_connection(connection):
    one = connection(Doorman())
    one.data_received(REQUEST)
    await answered(one)
    one.data_received(b"\r\n")
    assert one.timeout_keep_alive_task is not None
