"""``fastrouter record`` as a process of its own: how it ends, and what is there then."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fastrouter.commands import app
from fastrouter.engine.catalog import open_dataset

from ..net.wire import until
from ..served import Served

pytest.importorskip("pyarrow")

COMMAND = [sys.executable, "-W", "error", "-m", "fastrouter.cli", "record"]
PATIENCE = 30


@pytest.fixture(scope="module")
def url():
    with Served("--rate", "500", "--symbols", "3", "--candles", "1s") as server:
        yield server.url(8082)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


async def begin(part: Path, *arguments: str) -> Process:
    """A recording that has written something."""
    process = await create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE)

    def written() -> bool:
        assert process.returncode is None
        return part.exists() and part.stat().st_size > 4096

    await until(written)
    return process


def test_so_many_rows(url: str, tmp_path: Path):
    out = tmp_path / "x"
    done = run(url, "-s", "S:*:quote,*:candle@1s", "-o", str(out), "--rows", "200", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["rows"], told["gaps"]) == (200, 0)
    assert str(out / "quotes.parquet") in told["files"]
    assert open_dataset(out).describe().rows == 200


def test_so_many_seconds_into_one_file(url: str, tmp_path: Path):
    out = tmp_path / "x.csv"
    done = run(url, "-s", "S:*:quote", "-o", str(out), "--seconds", "1")
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = done.stdout.splitlines()
    rows = open_dataset(out).describe().rows
    assert f"{rows:,} quotes and 0 closed candles of" in first
    assert first.endswith(str(out))
    assert second == "not recorded: 1 of other kinds or symbols" or "snapshots" in second
    assert third == "not received: nothing that is known of"
    refused = run(url, "-o", str(out), "--rows", "1")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"RECORDING_EXISTS: {out} is there already")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_well(url: str, tmp_path: Path, number: signal.Signals):
    out = tmp_path / "x"
    part = out / "quotes.parquet.part"
    process = await begin(part, url, "-s", "*:quote", "-o", str(out), "--flush", "0.1", "--json")
    process.send_signal(number)
    told = json.loads((await process.communicate())[0])
    assert process.returncode == 0
    assert not part.exists()
    assert open_dataset(out).describe().rows == told["rows"] > 0


async def test_a_kill_loses_little(url: str, tmp_path: Path):
    out = tmp_path / "x"
    part = out / "quotes.parquet.part"
    process = await begin(part, url, "-s", "*:quote", "-o", str(out), "--flush", "0.1")
    process.kill()
    await process.communicate()
    assert part.exists()
    done = run("-o", str(out), "--recover")
    assert (done.returncode, done.stdout) == (0, f"{out / 'quotes.parquet'}\n")
    assert open_dataset(out).describe().rows > 0
    again = run("-o", str(out), "--recover")
    assert (again.returncode, again.stderr.partition(":")[0]) == (1, "NO_RECORDING")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["http://h"], "INVALID_URL"),
        (["ws://127.0.0.1:1", "--no-reconnect"], "CONNECTION_FAILED"),
        (["--format", "json"], "INVALID_OPTION"),
        (["-o", "none", "--recover"], "NO_RECORDING"),
    ],
)
def test_what_cannot_be_recorded(arguments: list[str], code: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["record", *arguments])
    assert result.exit_code != 0
    assert code in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_refused_subscriptions(url: str, tmp_path: Path):
    done = run(url, "-s", "nonsense", "-o", str(tmp_path / "x"))
    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "INVALID_SUBSCRIPTION")
    assert not (tmp_path / "x").exists()
