"""Which sink a connection gets, and how many writes a visit makes."""

from __future__ import annotations

import pytest

from fastrouter import Quote
from fastrouter.net.certificate import Certificate
from fastrouter.net.sinks import SocketSink, TransportSink
from tests.certificates import certify


@pytest.fixture(params=[SocketSink, TransportSink])
async def connection(request, serve, open_session, tmp_path):
    """A session's wire and the server's listener, plain and by TLS."""
    if request.param is SocketSink:
        server = await serve()
        wire = await open_session(server)
    else:
        files = certify(tmp_path)
        server = await serve(ssl_context=Certificate(files.cert, files.key).context)
        wire = await open_session(server, tls=files.trusted())
    (listener,) = server._listeners
    assert type(listener.outbox.sink) is request.param
    return wire, listener


async def test_a_visit_is_one_write(connection, router):
    wire, listener = connection
    before = router.counters().sends
    for bid in range(1, 200):
        router.publish(Quote("S:A", bid=bid, ask=bid + 1))
    listener.outbox.flush()
    assert router.counters().sends == before + 1
    assert listener.transport.underlying_transport.get_write_buffer_size() == 0
    for seq in range(1, 200):
        assert (await wire.message())["quote"]["seq"] == seq


async def test_it_blocks_at_the_first_byte_that_must_wait(connection):
    _, listener = connection
    assert listener.transport.underlying_transport.get_write_buffer_limits() in ((0, 0), (0, 1))
    assert not listener.outbox.blocked


async def test_nothing_is_written_behind_a_close(connection, router):
    wire, listener = connection
    listener.close(1000, "enough")
    router.publish(Quote("S:A", bid=1, ask=2))
    assert await wire.closed() == (1000, "enough")
    await wire.end()
