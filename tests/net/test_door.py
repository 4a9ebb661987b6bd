"""TLS connections count before their handshake has cost anything."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from fastrouter.errors import ConfigError
from fastrouter.net import door
from fastrouter.net.certificate import Certificate
from fastrouter.session import admission
from tests.certificates import Files, certify

from .wire import Wire, turns


@pytest.fixture
def files(tmp_path) -> Files:
    return certify(tmp_path)


@pytest.fixture
def secure(serve, files):
    certificate = Certificate(files.cert, files.key)

    async def start(**options):
        return await serve(ssl_context=certificate.context, **options)

    return start


@pytest.fixture
async def silent():
    """Connect and say nothing."""
    wires: list[Wire] = []

    async def connect(server) -> Wire:
        wires.append(Wire(*await asyncio.open_connection("127.0.0.1", server.port)))
        return wires[-1]

    yield connect
    for wire in wires:
        await wire.bye()


async def test_half_a_handshake_is_a_connection_of_its_address(secure, silent, open_session, files):
    server = await secure(connections_per_address=2, handshake_seconds=0.3)
    held = [await silent(server) for _ in range(2)]
    while server.crowd.connections < 2:
        await turns()
    assert server.crowd.of("127.0.0.1") == 2
    await (await silent(server)).end()
    assert server.turned_away == 1
    for wire in held:  # until the handshake's time is over
        await wire.end()
    while server.crowd.connections:
        await turns()
    assert server.unfinished == 2
    await open_session(server, tls=files.trusted())
    assert server.crowd.connections == 1


async def test_beyond_the_limit_a_few_are_told_and_the_rest_is_cut(
    secure, silent, open_session, files, monkeypatch
):
    monkeypatch.setattr(admission, "SPARE", 1)
    server = await secure(connections=1)
    await open_session(server, tls=files.trusted())
    await silent(server)
    while server.crowd.connections < 2:
        await turns()
    await (await silent(server)).end()
    assert server.turned_away == 1


async def test_who_hangs_up_in_the_handshake_is_forgotten(secure, silent):
    server = await secure()
    wire = await silent(server)
    while not server.crowd.connections:
        await turns()
    wire.writer.transport.abort()
    while server.crowd.connections:
        await turns()
    assert server.unfinished == 1


async def test_closing_ends_the_handshakes_under_way(secure, silent):
    server = await secure(handshake_seconds=60)
    wire = await silent(server)
    while not server.crowd.connections:
        await turns()
    await server.close(grace=0.1)
    await wire.end()
    while server.crowd.connections:
        await turns()


async def test_a_handshake_that_is_given_up_before_it_began(secure):
    """What `close` does to one that was accepted in the same turn of the loop."""
    server = await secure()
    opened = server._server
    with socket.create_connection(("127.0.0.1", server.port)) as peer:
        peer.setblocking(False)
        opened._accept(*opened.sockets)
        (handshake,) = opened._handshakes
        handshake.cancel()
        assert await server.loop.sock_recv(peer, 1) == b""
    assert server.crowd.connections == 0
    assert not opened._handshakes


async def test_without_descriptors_it_rests_and_goes_on(
    secure, open_session, files, monkeypatch, caplog
):
    monkeypatch.setattr(door, "REST", 0.01)
    server = await secure()
    server._server._rest(OSError(errno.EMFILE, "too many open files"))
    assert "cannot accept connections" in caplog.text
    await open_session(server, tls=files.trusted())


async def test_an_address_that_is_taken(secure, files):
    server = await secure()
    with pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1:{server.port}: "):
        await secure_again(server, files)


async def secure_again(server, files):
    certificate = Certificate(files.cert, files.key)
    await server.router.serve("127.0.0.1", server.port, ssl_context=certificate.context)


async def test_every_address_of_a_name_is_served(secure, files, open_session, router):
    certificate = Certificate(files.cert, files.key)
    server = await router.serve("localhost", 0, ssl_context=certificate.context)
    try:
        assert len(server._server.sockets) >= 1
        wire = await open_session(server, tls=files.trusted())
        assert wire is not None
    finally:
        await server.close(grace=0.1)
