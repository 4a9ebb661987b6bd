"""Jobs by HTTP, over a socket."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from fastrouter.control.guard import Guard
from fastrouter.control.jobs.api import Offer, jobs_api
from fastrouter.control.port import Port
from fastrouter.control.problem import answer_problems
from fastrouter.errors import SubscriptionError

from ...net.wire import until
from ..fakes import FakeVerifier
from .fakes import PROGRAMS, RESULT, House, request
from .test_jobs import DONE, broken


def check(subscriptions: str) -> None:
    if ":" not in subscriptions:
        raise SubscriptionError(f"{subscriptions!r} has no colon")


@asynccontextmanager
async def serving(house: House, verifier: FakeVerifier | None = None):
    app = FastAPI()
    answer_problems(app)
    offer = Offer(lambda: {*PROGRAMS}, lambda: ["eurusd", "futures"], check)
    guard = Guard(verifier, lambda: 0.0, ("strategies", "admin"))
    app.include_router(jobs_api(house.jobs, offer, guard))
    port = await Port.open(app, "127.0.0.1", 0)
    paths = app.openapi()["paths"]

    async def documented(answer: httpx.Response) -> None:
        """Every answer is one of those that OpenAPI tells of."""
        path = re.sub(r"/jobs/[^/]+", "/jobs/{job_id}", answer.url.path)
        assert str(answer.status_code) in paths[path][answer.request.method.lower()]["responses"]

    hooks = {"response": [documented]}
    try:
        async with httpx.AsyncClient(
            base_url=port.url, trust_env=False, timeout=30, event_hooks=hooks
        ) as http:
            yield http
    finally:
        await port.close()


@pytest.fixture
async def http(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(house) as found:
        yield found


async def ended(http: httpx.AsyncClient, job_id: str) -> dict:
    while True:
        job = (await http.get(f"/v1/jobs/{job_id}")).json()
        if job["status"] not in ("pending", "running"):
            return job


class TestCreate:
    async def test_it_runs(self, http, house):
        asked = request(
            start="2025-01-02T14:30:00Z", symbols=["S:A"], window=4, cash=1e5, config={}
        )
        answer = await http.post("/v1/jobs", json=asked)
        assert answer.status_code == 201
        job = answer.json()
        assert answer.headers["location"] == f"/v1/jobs/{job['job_id']}"
        assert str(uuid.UUID(job["job_id"], version=4)) == job["job_id"]
        assert (job["job_type"], job["started_at"], job["result"]) == ("backtest", None, None)
        assert job["created_at"] == "2023-11-14T22:13:20.000000Z"
        assert job["request"] == {
            **asked, "start": "2025-01-02T14:30:00.000000Z", "cash": "100000",
        }  # fmt: skip
        job = await ended(http, job["job_id"])
        assert (job["status"], job["result"], job["error"]) == ("completed", RESULT, None)
        assert house.told(job["job_id"]) == DONE

    @pytest.mark.parametrize(
        "start",
        ["2025-01-02", "2025-01-02T00:00", "2025-01-02T01:00:00+01:00", 1735776000000,
         "1735776000000"],
    )  # fmt: skip
    async def test_start_is_what_a_url_takes(self, http, start):
        answer = await http.post("/v1/jobs", json=request(start=start))
        assert answer.status_code == 201, answer.text
        assert answer.json()["request"]["start"] == "2025-01-02T00:00:00.000000Z"

    async def test_a_key_makes_one_job(self, http, house):
        headers = {"Idempotency-Key": "k1"}
        first = await http.post("/v1/jobs", json=request(), headers=headers)
        again = await http.post("/v1/jobs", json=request(), headers=headers)
        other = await http.post("/v1/jobs", json=request("silent"), headers=headers)
        assert [one.status_code for one in (first, again, other)] == [201, 200, 422]
        assert first.json()["job_id"] == again.json()["job_id"]
        assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"job_type": "optimise"}, "job_type is 'optimise'; allowed: backtest"),
            ({"strategy": "klingon"}, "there is no strategy 'klingon'; allowed: deaf, deep, dying"),
            ({"dataset": "klingon"}, "there is no dataset 'klingon'; allowed: eurusd, futures"),
            ({"dataset": "../../etc/passwd"}, "there is no dataset"),
            ({"dataset": ""}, "dataset: 0 characters; allowed: 1 to 128"),
            ({"strategy": None}, "strategy is None"),
            ({"colour": "red"}, "'colour' is unknown; allowed: job_type, strategy, dataset"),
            (
                {"start": "yesterday"},
                "start: 'yesterday'; allowed: ISO-8601 as 2025-01-31 or 2025-01-31T09:30:00Z, or U",
            ),
            ({"start": "2500-01-01"}, "start: '2500-01-01'; allowed: "),
            ({"start": "9" * 30}, "start: '99"),
            ({"end": True}, "end: True; allowed: "),
            ({"start": "2025-01-02T00:00:00Z", "end": 1735776000000}, "start is not before end"),
            ({"symbols": []}, "symbols"),
            ({"symbols": ["S:A", "S,B"]}, "symbols[1]: 'S,B' is no symbol"),
            ({"symbols": ["x" * 33]}, "is no symbol; allowed: 1 to 32 bytes"),
            ({"symbols": "S:A"}, "symbols"),
            ({"window": 0}, "window"),
            ({"window": "4"}, "window"),
            ({"window": True}, "window"),
            ({"cash": 0}, "cash: 0; allowed: above 0"),
            ({"cash": "much"}, "cash"),
            ({"cash": "1e13"}, "cash: 10000000000000; allowed: above 0, below 10^12"),
            ({"commission": 1}, "commission"),
            ({"commission": {"percent": -1}}, "commission: commission percent is '-1'; allowed"),
            ({"commission": {"tax": 1}}, "commission 'tax' is unknown; allowed: per_order"),
            ({"shorting": "yes"}, "shorting"),
            ({"subscriptions": "quotes"}, "subscriptions: 'quotes' has no colon"),
            ({"subscriptions": ""}, "subscriptions"),
            ({"config": []}, "config"),
            ({"config": {"x": json.loads("[" * 253 + "]" * 253)}}, "nested too deep"),
            ({"config": {"x": "y" * 70_000}}, "config of 70008 bytes; allowed: 65536"),
        ],
    )
    async def test_what_cannot_be(self, http, house, change, said):
        answer = await http.post("/v1/jobs", json={**request(), **change})
        assert answer.status_code == 422
        assert answer.json()["code"] == "INVALID_JOB"
        assert answer.json()["message"].startswith(said) or said in answer.json()["message"]
        assert house.told() == []

    @pytest.mark.parametrize(
        ("body", "media", "status"),
        [
            (b"", "application/json", 400),
            (b"{", "application/json", 400),
            (b"\xff", "application/json", 400),
            (b"[]", "application/json", 422),
            (b"7", "application/json", 422),
            (b"{}", "application/json", 422),
            (b"{}", "text/plain", 415),
            (b" " * (1 << 20) + b"{}", "application/json", 413),
        ],
    )
    async def test_what_is_no_request(self, http, body, media, status):
        answer = await http.post("/v1/jobs", content=body, headers={"content-type": media})
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "message"}

    async def test_too_many(self, build):
        house = await build(at_once=1, waiting=2)
        async with serving(house) as http:
            answers = [await http.post("/v1/jobs", json=request("slow")) for _ in range(4)]
            assert [one.status_code for one in answers] == [201, 201, 201, 429]
            assert answers[-1].json()["code"] == "TOO_MANY_JOBS"

    async def test_too_many_at_once(self, build):
        house = await build(at_once=1, waiting=5)
        async with serving(house) as http:
            asking = (http.post("/v1/jobs", json=request("slow")) for _ in range(30))
            statuses = [one.status_code for one in await asyncio.gather(*asking)]
            assert set(statuses) == {201, 429}
            assert statuses.count(201) in (5, 6)

    async def test_a_store_that_takes_nothing(self, http, house, monkeypatch):
        broken(house, monkeypatch)
        for answer in (await http.post("/v1/jobs", json=request()), await http.get("/v1/jobs")):
            assert answer.status_code == 503
            assert answer.json() == {"code": "STORE_ERROR", "message": "the disk is full"}
            assert answer.headers["Retry-After"] == "1"

    async def test_when_it_ends(self, http, house):
        await house.jobs.close()
        assert (await http.post("/v1/jobs", json=request())).status_code == 503


async def test_the_schema_stands_alone(house):
    app = FastAPI()
    offer = Offer(lambda: (), lambda: ())
    app.include_router(jobs_api(house.jobs, offer, Guard(None, lambda: 0.0)))
    schema = app.openapi()
    for name in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(schema)):
        found = schema
        for step in name.split("/"):
            found = found[step]


class TestShow:
    async def test_pages(self, http, house):
        names = ("good", "failing", "good", "failing", "good")
        ids = [await house.create(name) for name in names]
        for job_id in ids:
            await house.ended(job_id)
        seen, query = [], {"limit": 2}
        while True:
            page = (await http.get("/v1/jobs", params=query)).json()
            seen += [job["job_id"] for job in page["jobs"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]
        assert seen == ids[::-1]
        failed = (await http.get("/v1/jobs?status=failed")).json()
        assert [job["job_id"] for job in failed["jobs"]] == [ids[3], ids[1]]
        assert failed["next"] is None

    async def test_progress_and_log(self, http, house):
        job_id = await house.create("telling")
        await until(lambda: house.jobs.progress(job_id))
        job = (await http.get(f"/v1/jobs/{job_id}")).json()
        assert job["progress"] == {"progress": 0.25, "events": 7}
        (job,) = (await http.get("/v1/jobs?status=running")).json()["jobs"]
        assert job["progress"] == {"progress": 0.25, "events": 7}
        log = (await http.get(f"/v1/jobs/{job_id}/log?lines=1")).json()
        assert log == {"job_id": job_id, "lines": ['{"x": 1}']}

    async def test_a_log_of_garbage(self, http, house):
        job_id = await house.create("garbage")
        await house.ended(job_id)
        answer = await http.get(f"/v1/jobs/{job_id}/log?lines=1000")
        assert answer.status_code == 200
        assert answer.json()["lines"]

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            (f"/{uuid.UUID(int=7)}", 404),
            (f"/{uuid.UUID(int=7)}/log", 404),
            (f"?after={uuid.UUID(int=7)}", 404),
            ("/nobody", 400),
            ("?status=lost", 400),
            ("?limit=0", 400),
            ("?limit=1001", 400),
            ("?after=x", 400),
        ],
    )
    async def test_what_is_not_there(self, http, path, status):
        answer = await http.get(f"/v1/jobs{path}")
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "message"}


class TestCancel:
    async def test_one_that_runs(self, http, house):
        job_id = await house.create("slow")
        await house.saying(job_id)
        answer = await http.delete(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["error"]) == ("canceled", "canceled")
        assert house.last(job_id)["status"] == "failed"
        again = await http.delete(f"/v1/jobs/{job_id}")
        assert (again.status_code, again.json()["code"]) == (409, "JOB_ENDED")
        assert (await http.delete(f"/v1/jobs/{uuid.uuid4()}")).status_code == 404

    async def test_several_cancel_it(self, http, house):
        job_id = await house.create("slow")
        await house.saying(job_id)
        asking = (http.delete(f"/v1/jobs/{job_id}") for _ in range(5))
        assert {one.status_code for one in await asyncio.gather(*asking)} <= {200, 409}
        assert house.told(job_id) == ["job.created", "job.started", "job.failed"]


class TestGuard:
    @pytest.mark.parametrize(
        ("token", "status"),
        [(None, 401), ("old", 401), ("user", 403), ("publish", 403), ("strategies", 200),
         ("admin", 200)],
    )  # fmt: skip
    async def test_who_may(self, house, token, status):
        async with serving(house, FakeVerifier()) as http:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            for method, path in (
                ("GET", "/v1/jobs"),
                ("POST", "/v1/jobs"),
                ("GET", f"/v1/jobs/{uuid.uuid4()}"),
                ("DELETE", f"/v1/jobs/{uuid.uuid4()}"),
                ("GET", f"/v1/jobs/{uuid.uuid4()}/log"),
            ):
                answer = await http.request(method, path, headers=headers)
                if status == 200:
                    assert answer.status_code in (200, 404, 415), answer.text
                else:
                    assert answer.status_code == status
