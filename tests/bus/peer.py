"""The other end of the bus: processes that know pynng and JSON, and nothing of us.

Each is a program of a few lines, as DGBIT's `EventPublisher` and `EventSubscriber` would be. It
says on its standard output what it does, and takes what to do line by line on its input.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PUBLISHER = """
import sys, threading, pynng
heard = threading.Event()
with pynng.Pub0(send_buffer_size=8192) as socket:
    socket.add_post_pipe_connect_cb(lambda pipe: heard.set())
    {open}
    print({where}, flush=True)
    for line in sys.stdin.buffer:
        heard.wait()
        socket.send(line.rstrip(b"\\n"))
        print("sent", flush=True)
"""

SUBSCRIBER = """
import sys, pynng
with pynng.Sub0(recv_timeout=20000, recv_buffer_size=8192) as socket:
    for topic in sys.argv[2:] or [""]:
        socket.subscribe(topic.encode())
    socket.dial(sys.argv[1], block=True)
    print("connected", flush=True)
    while True:
        sys.stdout.buffer.write(socket.recv() + b"\\n")
        sys.stdout.flush()
"""


#: an address of each transport; {port} is a free one (of ws, NNG cannot say which it took)
FORMS = ("tcp://127.0.0.1:0", "ipc://{folder}/bus", "ws://127.0.0.1:{port}/bus")


def fill(form: str, folder: Path) -> str:
    """An address of that form that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return form.format(folder=folder, port=found.getsockname()[1])


class Peer:
    """A process at the other end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.address = ""  # where it listens

    async def line(self) -> bytes:
        """The next line it prints."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 20)
        assert line, "the peer is gone"
        return line.rstrip(b"\n")

    async def send(self, *messages: bytes) -> None:
        """Have a publisher send; returns when it has."""
        assert self.process.stdin is not None
        for message in messages:
            self.process.stdin.write(message + b"\n")
        for _ in messages:
            assert await self.line() == b"sent"

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def _process(program: str, *arguments: str) -> AsyncIterator[Peer]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *arguments), stdin=pipe, stdout=pipe, limit=1 << 20
    )
    peer = Peer(process)
    try:
        yield peer
    finally:
        await peer.kill()
        process._transport.close()  # type: ignore[attr-defined]  # its pipes, before the loop


@asynccontextmanager
async def publisher(address: str = "tcp://127.0.0.1:0") -> AsyncIterator[Peer]:
    """One that listens."""
    program = PUBLISHER.format(open="listener = socket.listen(sys.argv[1])", where="listener.url")
    async with _process(program, address) as peer:
        peer.address = (await peer.line()).decode()
        yield peer


@asynccontextmanager
async def dialling_publisher(address: str) -> AsyncIterator[Peer]:
    """One that dials, and is connected."""
    program = PUBLISHER.format(open="socket.dial(sys.argv[1], block=True)", where="'connected'")
    async with _process(program, address) as peer:
        assert await peer.line() == b"connected"
        yield peer


@asynccontextmanager
async def subscriber(address: str, *topics: str) -> AsyncIterator[Peer]:
    """One that is connected; it prints what it receives."""
    async with _process(SUBSCRIBER, address, *topics) as peer:
        assert await peer.line() == b"connected"
        yield peer
