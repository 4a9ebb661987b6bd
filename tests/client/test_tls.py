"""``wss://``, on both event loops."""

import ssl
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from fastrouter.client import Surroundings, connect, trusting
from fastrouter.errors import ConnectionFailed
from tests.certificates import Files, certify
from tests.client.conftest import quote, serving


async def handler(peer: ServerConnection) -> None:
    await peer.send(quote(5))
    await peer.wait_closed()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return certify(tmp_path)


@pytest.fixture
def server(files: Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    return context


async def first(url: str, context: ssl.SSLContext | None, surroundings: Surroundings) -> int:
    secure = url.replace("ws://", "wss://")
    async with connect(secure, ssl_context=context, surroundings=surroundings) as connection:
        return (await anext(connection)).id


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_certificate_that_is_trusted(host, server, files, surroundings):
    async with serving(handler, ssl=server) as url:
        url = url.replace("127.0.0.1", host)
        assert await first(url, trusting(files.cert), surroundings) == 5


async def test_one_that_is_not_is_not_tried_again(server, surroundings):
    async with serving(handler, ssl=server) as url:
        with pytest.raises(ConnectionFailed, match="certificate verify failed"):
            await first(url, None, surroundings)


async def test_any_certificate(server, surroundings):
    async with serving(handler, ssl=server) as url:
        assert await first(url, trusting(insecure=True), surroundings) == 5


async def test_another_authority_is_not_trusted(server, tmp_path, surroundings):
    other = trusting(certify(tmp_path, "other").cert)
    async with serving(handler, ssl=server) as url:
        with pytest.raises(ConnectionFailed, match="certificate verify failed"):
            await first(url, other, surroundings)


def test_files_that_cannot_be_used(tmp_path: Path):
    assert trusting() is None
    with pytest.raises(ConnectionFailed, match="No such file") as caught:
        trusting(tmp_path / "none.pem")
    assert caught.value.code == "INVALID_CAFILE"
    file = tmp_path / "empty.pem"
    file.write_text("nothing")
    with pytest.raises(ConnectionFailed, match=r"empty\.pem cannot be used"):
        trusting(file)
