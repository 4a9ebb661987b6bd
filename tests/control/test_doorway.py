"""What no application gets to see."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from fastrouter.control.doorway import Doorway
from fastrouter.control.rest import build

SIZE = len(b"GET /healthz HTTP/1.1\r\nhost: rest\r\nx: \r\n\r\n")


def client(house, header_bytes: int = 16384) -> httpx.AsyncClient:
    app = Doorway(build(), house, header_bytes)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rest")
    http.headers.clear()
    return http


@pytest.fixture
def house() -> SimpleNamespace:
    return SimpleNamespace(retry_after=None, full=False)


async def test_it_lets_in(house):
    async with client(house) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/openapi.json")).status_code == 200


async def test_while_it_drains_nobody_is_served(house):
    house.retry_after = 1.2
    async with client(house) as http:
        for path in ("/healthz", "/openapi.json"):
            answer = await http.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert answer.headers["connection"] == "close"
            assert answer.json() == {"code": "SERVICE_UNAVAILABLE", "message": "draining"}


async def test_when_it_is_full_its_health_is_told_still(house):
    house.full = True
    async with client(house) as http:
        answer = await http.get("/openapi.json")
        assert (answer.status_code, answer.json()["message"]) == (503, "too many connections")
        assert (await http.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("size", "status"), [(400, 200), (401, 431)])
@pytest.mark.parametrize("query", ["", "?a=b"])
async def test_the_limit_of_a_head_is_exact(house, size, status, query):
    async with client(house, 400) as http:
        filler = "x" * (size - SIZE - len(query))
        answer = await http.get(f"/healthz{query}", headers={"x": filler})
        assert answer.status_code == status
