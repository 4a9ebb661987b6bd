"""Jobs of the whole server: asked for by REST, heard by plain clients, kept over restarts."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from fastrouter import app
from fastrouter.app import jobs as app_jobs
from fastrouter.app.jobs import Programs, synthetic_file
from fastrouter.config.strategies import BUILT_IN
from fastrouter.control.jobs.job import Job
from fastrouter.engine.catalog import Catalog, open_dataset
from fastrouter.engine.synthetic import Synthetic
from fastrouter.errors import ConfigError, FeedError

from ..bus.peer import subscriber
from ..net.wire import HEADERS, Wire, until
from ..served import Served
from .visit import Visitor, settings

REPORT = {"total_trades": 15, "win_rate": 0.6, "total_return": 0.12}
TOLD = json.dumps({"events": 7, "report": REPORT, "error": None})
#: instead of ``fastrouter backtest``: it ends when there is a file of its strategy's name
FAKE = f"until [ -e $STRATEGY_ID ]; do sleep 0.01; done; cat $STRATEGY_ID; echo '{TOLD}'"
DGBIT = "/api/ws/events"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server is, and what it runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app_jobs, "COMMAND", ("/bin/sh", "-c", FAKE, "backtest"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ticks.csv").write_text("time,symbol,bid,ask\n1000,S:A,1,2\n")
    return tmp_path


def configured(folder: Path, **more: Any):
    chosen = {
        "store__path": folder / "state.db",
        "backtest__data": folder / "data",
        "strategies": {"one": {"command": "x"}, "two": {"command": "x"}},
        "jobs__at_once": 1,
        "ports__market": "off",
        "ports__risk": "off",
        "ports__backtest": "off",
    }
    return settings(**{**chosen, **more})


def served(folder: Path, visit: Callable[..., Awaitable[None]], **more: Any) -> None:
    """Serve while somebody visits, with a client of REST."""

    async def come(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=serving.rest, trust_env=False) as http:
            await visit(serving, http)

    visitor = Visitor(come)
    assert app.serve(configured(folder, **more), ready=visitor)
    assert visitor.task is not None
    visitor.task.result()


@asynccontextmanager
async def listening(serving: app.Serving, path: str = DGBIT):
    """A plain client of a dgbit endpoint, past its welcome."""
    (url,) = (place.url for place in serving.endpoints if place.url.endswith(DGBIT))
    wire = await Wire.open(int(url.split(":")[2].split("/")[0]), path, HEADERS)
    assert (await wire.response())[0] == 101
    assert (await wire.message())["type"] in ("connection", "subscribed")
    try:
        yield wire
    finally:
        await wire.bye()


async def create(http: httpx.AsyncClient, strategy: str = "one", **more: Any) -> str:
    body = {"job_type": "backtest", "strategy": strategy, "dataset": "ticks", **more}
    answer = await http.post("/v1/jobs", json=body)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["job_id"]
    return found


async def heard(wire: Wire) -> tuple[str, dict[str, Any]]:
    """Type and payload of the next job event, whose envelope is as documented."""
    while True:
        message = await wire.message()
        if message["type"].startswith("job."):
            assert [*message] == ["type", "timestamp", "payload"]
            return message["type"], message["payload"]


def test_events_are_heard_at_both_endpoints_and_on_the_bus(folder: Path):
    async def visit(serving: app.Serving, http: httpx.AsyncClient) -> None:
        async with listening(serving) as wire, subscriber(serving.bus, "job.") as bus:
            first, second = await create(http), await create(http, "two")
            async with listening(serving, f"/api/ws/jobs/{second}") as own:
                for name in ("one", "two"):
                    (folder / name).write_text("working\n")
                mine = [await heard(own) for _ in range(2)]
            everything = [await heard(wire) for _ in range(6)]
            on_the_bus = [await bus.line() for _ in range(6)]
        created = {"job_id": first, "job_type": "backtest", "status": "pending"}
        assert everything[0] == ("job.created", created)
        of_first = [one for one in everything if one[1]["job_id"] == first]
        assert of_first == [
            ("job.created", created),
            ("job.started", {**created, "status": "running"}),
            ("job.completed", {**created, "status": "completed", "result": REPORT | {"events": 7}}),
        ]
        of_second = [one for one in everything if one[1]["job_id"] == second]
        assert [kind for kind, _ in of_second] == ["job.created", "job.started", "job.completed"]
        assert mine == of_second[1:]
        kinds = [kind.encode() for kind, _ in everything]
        assert [line.partition(b" ")[0] for line in on_the_bus] == kinds
        log = (await http.get(f"/v1/jobs/{first}/log")).json()
        assert log["lines"] == ["working", TOLD]

    served(folder, visit, bus__publish=f"ipc://{folder}/bus")


def test_over_a_restart(folder: Path):
    """What ran has failed, and is told so before the end; what waited is run."""
    ids: list[str] = []

    async def before(serving: app.Serving, http: httpx.AsyncClient) -> None:
        async with listening(serving) as wire:
            ids.extend([await create(http), await create(http, "two")])
            while (await heard(wire))[0] != "job.started":
                pass
            os.kill(os.getpid(), signal.SIGTERM)
            kind, payload = await heard(wire)
            while kind == "job.created":
                kind, payload = await heard(wire)
            assert (kind, payload["job_id"]) == ("job.failed", ids[0])
            assert payload["error"] == "the server was stopped"

    async def after(serving: app.Serving, http: httpx.AsyncClient) -> None:
        async with listening(serving, f"/api/ws/jobs/{ids[1]}") as wire:
            (folder / "two").touch()
            while (await heard(wire))[0] != "job.completed":
                pass
        jobs = (await http.get("/v1/jobs")).json()["jobs"]
        assert [(job["job_id"], job["status"]) for job in jobs] == [
            (ids[1], "completed"),
            (ids[0], "failed"),
        ]

    served(folder, before)
    served(folder, after)


def test_its_process_is_killed(folder: Path):
    async def visit(serving: app.Serving, http: httpx.AsyncClient) -> None:
        async with listening(serving) as wire:
            await create(http)
            while (await heard(wire))[0] != "job.started":
                pass
            await until(lambda: children(os.getpid()))
            (pid,) = children(os.getpid())
            os.kill(pid, signal.SIGKILL)
            kind, payload = await heard(wire)
            assert (kind, payload["status"]) == ("job.failed", "failed")
            assert payload["error"].startswith("signal 9 (SIGKILL)")

    served(folder, visit)


def test_canceled(folder: Path):
    async def visit(serving: app.Serving, http: httpx.AsyncClient) -> None:
        async with listening(serving) as wire:
            job_id = await create(http)
            while (await heard(wire))[0] != "job.started":
                pass
            answer = await http.delete(f"/v1/jobs/{job_id}")
            assert answer.json()["status"] == "canceled"
            assert (await heard(wire))[1]["error"] == "canceled"

    served(folder, visit)


def test_what_can_be_asked_for(folder: Path):
    async def visit(serving: app.Serving, http: httpx.AsyncClient) -> None:
        (listed,) = (await http.get("/v1/datasets?wait=30")).json()["datasets"]
        assert (listed["name"], listed["rows"]) == ("ticks", 1)
        (folder / "data" / "hollow").mkdir()
        for change, said in (
            ({"dataset": "hollow"}, "dataset 'hollow': no file in it ends with .csv"),
            ({"strategy": "three"}, "allowed: crossover, one, two"),
            ({"dataset": "klingon"}, "allowed: ticks"),
            ({"subscriptions": "quotes"}, "subscriptions: "),
        ):
            body = {"job_type": "backtest", "strategy": "one", "dataset": "ticks", **change}
            answer = await http.post("/v1/jobs", json=body)
            assert answer.status_code == 422
            assert said in answer.json()["message"]
        paths = (await http.get("/openapi.json")).json()["paths"]
        assert {"/v1/jobs", "/v1/jobs/{job_id}", "/v1/jobs/{job_id}/log", "/v1/datasets"} <= {
            *paths
        }

    served(folder, visit)


def test_a_store_in_memory_leaves_no_logs(folder: Path):
    async def visit(serving: app.Serving, http: httpx.AsyncClient) -> None:
        job_id = await create(http)
        (folder / "one").touch()
        while (await http.get(f"/v1/jobs/{job_id}")).json()["status"] != "completed":
            pass

    served(folder, visit, store__path="off", jobs__logs=None)
    assert not [path for path in folder.rglob("*.log*") if path.is_file()]


def test_a_folder_that_is_not_there(folder: Path):
    with pytest.raises(ConfigError, match=r"backtest\.data: .*no such folder"):
        served(folder, None, backtest__data=folder / "nowhere")  # type: ignore[arg-type]


# ------------------------------------------------------------------- what is run


def job(**request: Any) -> Job:
    asked = {"job_type": "backtest", "strategy": "one", "dataset": "ticks", **request}
    return Job(1, "id", "backtest", asked, "pending", 0)


def programs(folder: Path, **more: Any) -> Programs:
    found = configured(folder, **more)
    return Programs(found, Catalog(folder / "data"), folder / "jobs", {"PROXY_OWNER": "1:2"})


def test_what_is_asked_for_is_what_is_run(folder: Path):
    made = programs(
        folder,
        strategies={
            "one": {
                "command": "python 'my bot.py' --fast",
                "environment": {"KEY": "secret"},
                "symbols": "S:A",
                "subscriptions": "S:A:quote",
                "dataResolution": "5s",
            }
        },
        feed__candles="1m,5m",
    )(
        job(
            start="2025-01-02T00:00:00.000000Z",
            symbols=["S:A", "S:B"],
            window=4,
            cash="5",
            commission={"percent": "0.1", "per_order": "1"},
            shorting=True,
            config={"fast": 3},
        )
    )
    assert made.command[:4] == ["/bin/sh", "-c", FAKE, "backtest"]
    assert made.command[4:] == [
        "--json",
        "--progress=json",
        "--start=2025-01-02T00:00:00.000000Z",
        "--symbols=S:A,S:B",
        "--window=4",
        "--cash=5",
        "--commission=percent:0.1,per_order:1",
        "--shorting=true",
        "--candles=1m,5m,5s",
        "--subscriptions=S:A:quote",
        str(folder / "data" / "ticks.csv"),
        *("--", "python", "my bot.py", "--fast"),
    ]
    environment = made.environment
    assert (environment["STRATEGY_ID"], environment["KEY"]) == ("one", "secret")
    assert environment["STRATEGY_CONFIG"] == '{"fast":3,"dataResolution":"5s"}'
    assert environment["STRATEGY_SYMBOLS"] == "S:A,S:B"
    assert environment["PROXY_OWNER"] == "1:2"
    assert not [name for name in environment if name.startswith("FASTROUTER_")]


def test_bars_have_a_resolution_of_their_own(folder: Path):
    (folder / "data" / "ticks.csv").write_text("time,symbol,open,high,low,close\n")
    made = programs(folder, strategies={"one": {"command": "x", "data_resolution": "1s"}})(job())
    assert not [word for word in made.command if word.startswith("--candles")]
    assert made.environment["STRATEGY_CONFIG"] == "{}"


def test_data_in_a_folder_of_its_own(folder: Path):
    (folder / "data" / "many").mkdir()
    (folder / "data" / "many" / "a.csv").write_text("time,bid,ask\n")
    (folder / "data" / "many" / "a.toml").write_text('symbol = "S:A"\n')
    assert str(folder / "data" / "many") in programs(folder)(job(dataset="many")).command


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"strategy": "gone"}, (ConfigError, "there is no strategy 'gone' any more")),
        ({"dataset": "gone"}, (FeedError, "there is no data set 'gone'")),
    ],
)
def test_what_is_there_no_more(folder: Path, request_, error):
    with pytest.raises(error[0], match=error[1]):
        programs(folder)(job(**request_))


def test_the_made_up_market_as_a_file(tmp_path: Path):
    path = synthetic_file(tmp_path / "jobs")
    assert open_dataset(path).describe() == Synthetic().describe()
    written = path.stat().st_mtime_ns
    assert synthetic_file(tmp_path / "jobs").stat().st_mtime_ns == written


def test_a_made_up_market_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch):
    def full(self: Synthetic) -> NoReturn:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(Synthetic, "stretches", full)
    with pytest.raises(FeedError, match="no space left"):
        synthetic_file(tmp_path)
    assert not [*tmp_path.iterdir()]


# ------------------------------------------------------------- processes, for real


def children(pid: int) -> list[int]:
    """The processes that one has started and that run."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if folder.name.isdecimal() and int(parent) == pid and state != "Z":
            found.append(int(folder.name))
    return found


def wait_for(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def test_a_server_that_is_killed_takes_all_with_it(tmp_path: Path):
    """… the job's process, and its strategy's, which never asks for anything; and says so later."""
    (tmp_path / "f.toml").write_text('[strategies.idle]\ncommand = "sleep 1000"\n')
    options = {"FASTROUTER_STORE__PATH": str(tmp_path / "state.db")}
    body = {"job_type": "backtest", "strategy": "idle", "dataset": "synthetic"}
    with Served("--config", str(tmp_path / "f.toml"), **options) as server:
        url = server.url(8080, "/v1/jobs", "http")
        job_id = httpx.post(url, json=body).json()["job_id"]
        assert server._process is not None
        (job_pid,) = wait_for(lambda: children(server._process.pid))
        (strategy_pid,) = wait_for(lambda: children(job_pid))
        server._process.kill()
        server._process.communicate()
        for pid in (job_pid, strategy_pid):
            wait_for(lambda pid=pid: not alive(pid))
        server.start()
        found = httpx.get(f"{url}/{job_id}").json()
        assert (found["status"], found["error"]) == ("failed", "the server was stopped")
        server.stop()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_example_backtests_the_made_up_market(tmp_path: Path):
    async def visit(serving: app.Serving, http: httpx.AsyncClient) -> None:
        strategy = next(iter(BUILT_IN))
        job_id = await create(http, strategy, dataset="synthetic", window=64)
        while True:
            found = (await http.get(f"/v1/jobs/{job_id}")).json()
            if found["ended_at"]:
                break
            await asyncio.sleep(0.05)
        assert found["status"] == "completed", found["error"]
        assert {"total_trades", "win_rate", "total_return"} <= {*found["result"]}

    served(tmp_path, visit, backtest__data=None)
