"""What can be simulated, asked for over a socket."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from fastrouter.control.datasets import Datasets, datasets_api
from fastrouter.control.guard import Guard
from fastrouter.control.port import Port
from fastrouter.control.problem import answer_problems
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.listing import Listing

from .fakes import FakeVerifier


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ticks.csv").write_text("time,symbol,bid,ask\n1000,S:A,1,2\n2000,S:B,x,2\n")
    (tmp_path / "broken.csv").write_text("a,b\n")
    return tmp_path


@asynccontextmanager
async def serving(datasets: Datasets, verifier: FakeVerifier | None = None):
    app = FastAPI()
    answer_problems(app)
    guard = Guard(verifier, lambda: 0.0, ("strategies", "admin"))
    app.include_router(datasets_api(datasets, guard))
    port = await Port.open(app, "127.0.0.1", 0)
    try:
        async with httpx.AsyncClient(base_url=port.url, trust_env=False, timeout=30) as http:
            yield http
    finally:
        await datasets.close()
        await port.close()


async def test_what_there_is(folder):
    async with serving(Datasets(Listing(Catalog(folder)))) as http:
        answer = await http.get("/v1/datasets?wait=30")
    assert answer.status_code == 200
    broken, ticks = answer.json()["datasets"]
    assert (broken["name"], broken["state"], broken["rows"]) == ("broken", "bad", None)
    assert broken["error"].startswith("broken.csv: ")
    assert ticks == {
        "name": "ticks",
        "state": "ready",
        "kinds": ["quotes"],
        "symbols": ["S:A"],
        "first": "1970-01-01T00:16:40.000000Z",
        "last": "1970-01-01T00:16:40.000000Z",
        "rows": 1,
        "bad_rows": 1,
        "files": ["ticks.csv"],
        "error": None,
    }


async def test_one_without_a_good_row_says_so(folder):
    (folder / "ticks.csv").write_text("time,symbol,bid,ask\n1000,S:A,x,2\n")
    async with serving(Datasets(Listing(Catalog(folder)))) as http:
        _, ticks = (await http.get("/v1/datasets?wait=30")).json()["datasets"]
    assert (ticks["state"], ticks["rows"], ticks["bad_rows"]) == ("bad", 0, 1)
    assert ticks["error"] == (
        "there is no row; left out: 1, the first is ticks.csv: line 2: bid: 'x' is not a number"
    )


async def test_one_that_takes_long_is_being_read(folder):
    """… and nobody waits for it: not who asks, not the others, not the end."""
    read, looks = threading.Event(), []

    class Slow(Listing):
        def look(self):
            looks.append(1)
            self._stopped.set()
            super().look()
            self._stopped.clear()
            read.wait()
            super().look()

        def stop(self):
            read.set()

    async with serving(Datasets(Slow(Catalog(folder)))) as http:
        states = []
        for query in ("?wait=0.05", "?wait=0"):
            found = (await http.get(f"/v1/datasets{query}")).json()["datasets"]
            states.append([one["state"] for one in found])
        assert states == [["bad", "reading"]] * 2
        assert looks == [1]
        read.set()
        found = (await http.get("/v1/datasets?wait=30")).json()["datasets"]
        assert [one["state"] for one in found] == ["bad", "ready"]


async def test_many_ask_at_once(folder):
    async with serving(Datasets(Listing(Catalog(folder)))) as http:
        answers = await asyncio.gather(*(http.get("/v1/datasets?wait=30") for _ in range(20)))
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("wait", ["-1", "31", "x", "nan"])
async def test_what_cannot_be_asked(folder, wait):
    async with serving(Datasets(Listing(Catalog(folder)))) as http:
        answer = await http.get(f"/v1/datasets?wait={wait}")
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(("token", "status"), [("user", 403), ("strategies", 200), ("admin", 200)])
async def test_who_may(folder, token, status):
    async with serving(Datasets(Listing(Catalog(folder))), FakeVerifier()) as http:
        assert (await http.get("/v1/datasets")).status_code == 401
        headers = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/v1/datasets", headers=headers)).status_code == status
