"""uvicorn on the loop of the test; with a port: test_port.py, without one: test_http.py."""

from __future__ import annotations

import asyncio
import socket

import httpx

from fastrouter.control.rest import build
from fastrouter.control.web import Web


async def test_it_serves_at_what_it_is_given():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        web = await Web.start(build(), [listening])
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            assert (await http.get("/healthz")).status_code == 200
        await web.close()
        assert listening.fileno() == -1


async def test_its_log_is_silent_about_peers(caplog):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        web = await Web.start(build(), [listening])
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        await web.close()
    assert not caplog.records
