"""`fastrouter backtest` with programs that do well, and with all that do not."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fastrouter.commands import app

BARS = """time,symbol,timeframe,open,high,low,close,volume
2025-01-01T00:00:00Z,S:A,1m,10,11,9,10.5,1
2025-01-01T00:01:00Z,S:A,1m,11,12,10,11.5,1
2025-01-01T00:02:00Z,S:A,1m,12,13,11,12.5,1
2025-01-01T00:03:00Z,S:A,1m,13,14,12,13.5,1
"""
TAKES_ALL = """
import asyncio, fastrouter
async def main():
    async with fastrouter.connect() as events:
        async for event in events:
            {body}
asyncio.run(main())
"""
TRADES = """
import asyncio, fastrouter
async def main():
    async with fastrouter.connect() as events, fastrouter.trading() as desk:
        async for event in events:
            if isinstance(event, fastrouter.Candle):
                side = {10.5: "buy", 12.5: "sell"}.get(event.close)
                if side:
                    print((await desk.submit(event.symbol, side, 2)).status)
            elif event.kind in ("order", "trade", "position"):
                print(event.kind, event.payload.get("event", ""), event.time // 60_000_000_000 % 60)
asyncio.run(main())
"""
PLAIN = """
import asyncio, json, os, websockets
async def main():
    async with websockets.connect(os.environ["PROXY_WS_URL"]) as ws:
        await ws.send(json.dumps({"type": "subscribe", "subscriptions": []}))
        async for text in ws:
            message = json.loads(text)
            if message["type"] == "subscribed":
                print(",".join(message["subscriptions"]))
            elif "id" in message:
                ack = {"correlation_id": "c", "events_processed": [message["id"]], "timestamp": 1}
                await ws.send(json.dumps({"type": "event_ack", **ack}))
asyncio.run(main())
"""
ENDLESS = "import time\nwhile True: time.sleep(60)"


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    file = tmp_path / "bars.csv"
    file.write_text(BARS)
    return file


def invoke(*arguments: object):
    return CliRunner().invoke(app, ["backtest", *map(str, arguments)], catch_exceptions=False)


def program(text: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-W", "error", "-c", text)


def takes_all(body: str = "pass") -> tuple[str, ...]:
    return program(TAKES_ALL.format(body=body))


def outcome(result) -> dict:
    return json.loads(result.stdout)


# ---- it goes well


def test_a_program_that_trades(bars):
    """Orders are filled at the next bar's open: 2 bought at 11, sold at 13."""
    result = invoke(bars, "--json", "--cash", "1000", *program(TRADES))
    assert result.exit_code == 0, result.output
    told = outcome(result)
    assert told.pop("wall_seconds") > 0
    assert told == {
        "dataset": "bars",
        "events": 14,  # those of the account, too
        "instants": 4,
        "first": "2025-01-01T00:01:00.000000Z",
        "last": "2025-01-01T00:04:00.000000Z",
        "bad_rows": 0,
        "orders": 2,
        "report": {
            "total_trades": 1,
            "win_rate": 1.0,
            "total_return": 0.004,
            "max_drawdown": 0.0,
            "final_equity": 1004.0,
        },
        "plot": None,
        "error": None,
    }
    assert result.stderr.splitlines() == [  # each in the instant it belongs to
        "new",
        "order ORDER_ACCEPTED 1",
        *("order ORDER_FILLED 2", "trade  2", "position  2"),
        "new",
        "order ORDER_ACCEPTED 3",
        *("order ORDER_FILLED 4", "trade  4", "position  4"),
    ]


def test_for_people(bars, tmp_path):
    report = tmp_path / "report.json"
    result = invoke(bars, "--report", report, *program(TRADES))
    assert result.exit_code == 0, result.output
    assert "ORDER_FILLED" in result.stdout
    assert re.search(r"^events +14 in ", result.stdout, re.M)
    assert re.search(r"^trades +1, 100.0% of them won$", result.stdout, re.M)
    assert re.search(r"^equity +100,004.00, \+0.00%$", result.stdout, re.M)
    assert json.loads(report.read_text())["report"]["final_equity"] == 100_004.0


def test_a_curve_and_a_report_as_files(bars, tmp_path):
    plot = tmp_path / "equity.html"
    result = invoke(bars, "--json", "--plot", plot, *program(TRADES))
    assert outcome(result)["plot"] == str(plot)
    assert "<td>100,004.00, +0.00%</td>" in plot.read_text()
    full = Path("/dev/full")
    if full.exists():
        result = invoke(bars, "--json", "--report", full, *takes_all())
        assert result.exit_code == 1
        assert f"OUTPUT_FAILED: {full} cannot be written: No space left" in result.stderr


def test_a_name_with_braces(bars):
    named = bars.rename(bars.with_name("{ba}rs.csv"))
    plot = bars.with_name("{equity}.html")
    result = invoke(named, "--plot", plot, *takes_all())
    assert result.exit_code == 0, result.output
    assert re.search(r"^data +\{ba\}rs$", result.stdout, re.M)
    assert re.search(rf"^plot +{re.escape(str(plot))}$", result.stdout, re.M)


def test_what_cannot_be_drawn_costs_neither_the_figures_nor_the_report(bars, tmp_path):
    plot, report = tmp_path / "equity.html", tmp_path / "report.json"
    block = f"__import__('os').mkdir({str(plot)!r}) if event.id == 1 else None"
    result = invoke(bars, "--json", "--plot", plot, "--report", report, *takes_all(block))
    assert result.exit_code == 1
    assert f"OUTPUT_FAILED: {plot} cannot be written: Is a directory" in result.stderr
    assert outcome(result) == json.loads(report.read_text())
    assert (outcome(result)["events"], outcome(result)["plot"]) == (4, None)


def test_what_a_program_finds_in_its_environment(bars, monkeypatch):
    monkeypatch.setenv("STRATEGY_CONFIG", '{"a": 1}')
    monkeypatch.setenv("SUBSCRIPTIONS", "S:OTHER:quote")
    names = ("STRATEGY_ID", "STRATEGY_SYMBOLS", "STRATEGY_CONFIG", "SUBSCRIPTIONS",
             "PROXY_WS_URL", "PROXY_REST_URL")  # fmt: skip
    say = f"import os\nfor name in {names}: print(os.environ[name])\n"
    result = invoke(bars, *program(say + TAKES_ALL.format(body="pass")))
    assert result.exit_code == 0, result.output
    told = result.stdout.splitlines()[: len(names)]
    wanted = "*:candle@1m,*:order,*:trade,*:position,*:account"
    assert told[:4] == ["backtest", "S:A", '{"a": 1}', wanted]
    assert re.fullmatch(r"ws://127.0.0.1:\d+/ws\?run=main&clients=1", told[4])
    assert re.fullmatch(r"http://127.0.0.1:\d+/v1/runs/main", told[5])


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((), "*:candle@1m,*:order,*:trade,*:position,*:account"),
        (("--subscriptions", "S:A:candle@1m,*:trade"), "S:A:candle@1m,*:trade"),
    ],
)
def test_a_program_that_names_no_subscriptions_has_those_of_its_environment(
    bars, arguments, wanted
):
    result = invoke(bars, *arguments, *program(PLAIN))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == wanted


@pytest.mark.parametrize(
    ("arguments", "symbols"), [((), "S:SAID"), (("--symbols", "S:A,S:B"), "S:A,S:B")]
)
def test_which_symbols_are_traded_is_said_or_in_the_environment(
    bars, monkeypatch, arguments, symbols
):
    monkeypatch.setenv("STRATEGY_SYMBOLS", "S:SAID")
    say = "import os\nprint(os.environ['STRATEGY_SYMBOLS'])\n"
    result = invoke(bars, *arguments, *program(say + TAKES_ALL.format(body="pass")))
    assert result.stdout.splitlines()[0] == symbols


def test_a_part_of_the_data(bars):
    result = invoke(bars, "--json", "--start", "2025-01-01T00:02:00Z", "--end",
                    "2025-01-01T00:04:00Z", "--window", "2", *takes_all())  # fmt: skip
    told = outcome(result)
    assert (told["events"], told["first"]) == (2, "2025-01-01T00:02:00.000000Z")
    told = outcome(invoke(bars, "--json", "--symbols", "S:B", *takes_all()))
    assert (told["events"], told["first"]) == (0, None)
    assert told["error"] == {"code": "NO_ROWS", "message": "no row has S:B"}


def test_symbols_that_never_appear_are_named(bars):
    result = invoke(bars, "--json", "--symbols", "S:A,S:ZZ", *takes_all())
    assert (outcome(result)["events"], outcome(result)["error"]) == (4, None)
    assert "no row has S:ZZ" in result.stderr


def test_quotes_and_candles_built_of_them(tmp_path):
    file = tmp_path / "quotes.csv"
    times = (f"2025-01-01T00:0{minute}:0{second}Z" for minute in range(3) for second in range(3))
    file.write_text("time,symbol,bid,ask\n" + "".join(f"{time},S:A,1,2\n" for time in times))
    say = "print(type(event).__name__) if event.id and not getattr(event, 'closed', 1) else None"
    result = invoke(file, "--json", *takes_all(say))
    assert result.exit_code == 0, result.output
    assert outcome(result)["events"] > 9
    assert "Candle" in result.stderr
    assert outcome(invoke(file, "--json", "--candles", "", *takes_all()))["events"] == 9


def test_several_files_and_a_name_in_a_folder(bars, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(BARS.replace("S:A", "S:B"))
    told = outcome(invoke(bars, other, "--json", *takes_all()))
    assert (told["dataset"], told["events"], told["instants"]) == ("bars+other", 8, 4)
    told = outcome(invoke("other", "--data", tmp_path, "--json", *takes_all()))
    assert (told["dataset"], told["events"]) == ("other", 4)


def test_a_folder_whose_files_say_themselves_how_they_are_read(tmp_path):
    """… as the folder of `fastrouter serve --data` may be, too."""
    for number, name in enumerate(("btc", "eurusd")):
        (tmp_path / f"{name}.csv").write_text(f"2025-01-01T00:00:0{number}Z,1,2\n")
        (tmp_path / f"{name}.toml").write_text(f'symbol = "C:{name.upper()}"\n')
    result = invoke(tmp_path, "--json", "--candles", "", *takes_all("print(event.symbol)"))
    assert result.exit_code == 0, result.output
    assert outcome(result)["events"] == 2
    assert result.stderr.split() == ["C:BTC", "C:EURUSD"]


# ---- the program does not do well


@pytest.mark.parametrize(
    ("command", "status", "code", "said"),
    [
        (("--", "/no/such/program"), 2, "COMMAND_FAILED", "/no/such/program: No such file"),
        (("--", "/"), 2, "COMMAND_FAILED", "/: Permission denied"),
        (program("raise SystemExit(7)"), 3, "COMMAND_LEFT", "status 7 and had not connected"),
        (program(""), 3, "COMMAND_LEFT", "status 0 and had not connected"),
        (
            takes_all("if event.id == 2: raise SystemExit(0)"),
            3, "COMMAND_LEFT", "status 0 before the run was over; unacknowledged events: 1",
        ),
        (
            takes_all("__import__('os').kill(__import__('os').getpid(), 9)"),
            3, "COMMAND_LEFT", "COMMAND was ended by signal 9 before the run was over",
        ),
        (
            ("--patience", "0.5", *program(ENDLESS)),
            3, "COMMAND_SILENT", "COMMAND did not connect to PROXY_WS_URL within 0.5 s",
        ),
        (("--timeout", "0.5", *program(ENDLESS)), 124, "TIMEOUT", "not over within 0.5 s"),
    ],
)  # fmt: skip
def test_a_program_that_fails(bars, command, status, code, said):
    result = invoke(bars, "--json", *command)
    assert result.exit_code == status, result.output
    assert outcome(result)["error"]["code"] == code
    assert said in outcome(result)["error"]["message"]
    assert f"{code}: " in result.stderr


def test_a_program_that_stays_is_stopped(bars):
    result = invoke(bars, "--grace", "0.1", *program(TAKES_ALL.format(body="pass") + ENDLESS))
    assert result.exit_code == 0
    assert "COMMAND did not end within 0.1 s of the run's end" in result.stderr


def test_a_program_that_fails_after_the_end_is_told_of(bars):
    result = invoke(bars, *program(TAKES_ALL.format(body="pass") + "raise SystemExit(9)"))
    assert result.exit_code == 0
    assert "COMMAND ended with status 9 after the run was over" in result.stderr


def test_a_program_that_writes_a_lot_is_passed_on_whole(bars):
    lots = "for n in range(100_000): print(n)\n"
    result = invoke(bars, *program(lots + TAKES_ALL.format(body="pass")))
    assert result.exit_code == 0
    assert result.stdout.startswith("".join(f"{n}\n" for n in range(100_000)))


# ---- the data


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "2025-01-01T00:00:00Z,S:A,1m,1,1,1,1,1\n",
            "line 6 is a bar that ends before the one above it",
        ),
    ],
)
def test_data_that_cannot_be_read_on(bars, rows, said):
    """Earlier blocks went out by then, or none: it is the same."""
    bars.write_text(BARS + rows)
    result = invoke(bars, *takes_all())
    assert result.exit_code == 1
    assert result.stderr.count(f"{bars}: {said}") >= 1


def test_there_is_progress_though_the_data_cannot_be_read_to_the_end(tmp_path):
    file = tmp_path / "quotes.csv"
    rows = "".join(f"{second},S:A,1,2\n" for second in range(1_700_000_000, 1_700_400_000))
    file.write_text("time,symbol,bid,ask\n" + rows + "1,S:A,1,2\n")  # more than is read ahead
    body = "if event.id == 1: await asyncio.sleep(1.5); raise SystemExit(0)"
    result = invoke(file, "--json", "--progress", "json", *takes_all(body))
    assert outcome(result)["error"]["code"] == "COMMAND_LEFT"
    lines = [json.loads(line) for line in result.stderr.splitlines() if line[:1] == "{"]
    assert lines
    assert {line["progress"] for line in lines} == {None}


@pytest.mark.parametrize(
    ("rows", "arguments", "said"),
    [
        (0, (), "there is no row"),
        (4, ("--start", "2026-01-01"), "there is no row from 2026-01-01T00:00:00.000000Z"),
        (4, ("--end", "2024-01-01"), "there is no row before 2024-01-01T00:00:00.000000Z"),
        (4, ("--symbols", "S:B,S:C"), "no row has S:B, S:C"),
    ],
)
def test_a_run_over_nothing_fails_before_its_program_begins(bars, rows, arguments, said):
    bars.write_text("\n".join(BARS.splitlines()[: rows + 1]) + "\n")
    result = invoke(bars, "--json", *arguments, *program("print('here')"))
    assert result.exit_code == 1, result.output
    assert outcome(result)["error"] == {"code": "NO_ROWS", "message": said}
    assert result.stderr.splitlines() == [f"NO_ROWS: {said}"]


def test_data_without_a_good_row(bars):
    bars.write_text(BARS.replace(",9,", ",x,").replace(",10,", ",x,").replace("2025", "long"))
    result = invoke(bars, *takes_all())
    assert (result.exit_code, result.stdout) == (1, "")
    why = "time: 'long-01-01T00:00:00Z' is not a time"
    assert result.stderr.startswith(f"{bars}: line 2 is left out: {why}\n")
    assert f"NO_ROWS: there is no row; left out: 4, the first is {bars}: line 2: {why}\n" in (
        result.stderr
    )
    assert outcome(invoke(bars, "--json", *takes_all()))["bad_rows"] == 4


def test_rows_that_are_left_out_are_named(bars):
    bars.write_text(BARS + "2025-01-01T00:04:00Z,S:A,1m,x,1,1,1,1\n")
    result = invoke(bars, "--json", *takes_all())
    assert outcome(result)["bad_rows"] == 1
    assert re.search(rf"{bars}: line 6 is left out: .*'x'", result.stderr)


def test_of_many_rows_some_are_named(bars):
    bars.write_text(BARS + "2025-01-01T00:04:00Z,S:A,1m,x,1,1,1,1\n" * 50)
    result = invoke(bars, "--json", *takes_all())
    assert outcome(result)["bad_rows"] == 50
    assert result.stderr.count("is left out: ") == 20
    assert result.stderr.splitlines()[-1] == "… and 30 rows more are left out"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/no/where.csv",), "FEED_ERROR: /no/where.csv: no such file or folder"),
        (("{bars}", "--start", "x"), "INVALID_CONFIG: start is 'x'; allowed: "),
        (("{bars}", "--cash", "0"), "INVALID_CONFIG: cash is '0'; allowed: "),
        (("{bars}", "--candles", "7m"), "INVALID_CONFIG: "),
        (("{bars}", "--subscriptions", "x"), "INVALID_CONFIG: "),
        (("{bars}", "--progress", "x"), "INVALID_CONFIG: --progress x: allowed: bar, json, none"),
        (("{bars}", "--timeout", "-1"), "INVALID_CONFIG: timeout is -1"),
        (("{bars}", "--host", "192.0.2.1"), "ADDRESS_UNAVAILABLE: "),
        (("{bars}", "--plot", "equity.pdf"), "INVALID_CONFIG: --plot equity.pdf: allowed: "),
        (("{bars}", "--plot", "{folder}/a.html"), "--plot {folder}/a.html: is a folder; allowed"),
        (("{bars}", "--report", "/no/r.json"), "--report /no/r.json: there is no folder /no"),
        (("{bars}", "--report", "{folder}"), "--report {folder}: is a folder; allowed: a file"),
        (("other", "--data", "{folder}"), "there are: bars"),
    ],
)
def test_what_is_wrong_from_the_start(bars, arguments, said):
    named = [text.format(bars=bars, folder=bars.parent) for text in arguments]
    (bars.parent / "a.html").mkdir()
    result = invoke(*named, *program(""))
    assert result.exit_code == 2, result.output
    assert said.format(folder=bars.parent) in result.stderr


def test_of_a_run_that_never_began_there_are_no_figures(bars):
    result = invoke(bars, "--", "/no/such/program")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("COMMAND_FAILED: /no/such/program: ")
    result = invoke(bars, "--json", "--", "/no/such/program")
    assert outcome(result)["events"] == 0


# ---- in a process of its own


@contextmanager
def started(*arguments: object):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "fastrouter.cli", "backtest", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_without_a_program_it_waits_for_a_client(bars):
    with started(bars, "--json") as process:
        environment = dict(os.environ)
        for line in process.stderr:
            name, equals, value = line.removeprefix("export ").strip().partition("=")
            if not equals:
                break
            environment[name] = value.strip("'")
        assert line == "waiting for a client; Ctrl-C ends it\n"
        subprocess.run([*takes_all()[1:]], env=environment, check=True, timeout=60)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["events"] == 4


def test_a_signal_ends_it_and_its_program(bars):
    say = "print(__import__('os').getpid(), flush=True) if event.id else None; await asyncio.sleep("
    with started(bars, *takes_all(f"{say}60 if event.id else 0)")) as process:
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "INTERRUPTED: a signal ended it" in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_progress_as_json(bars):
    """A line a second at most, each an object; the result is the last thing said."""
    body = "await asyncio.sleep(0.6)"
    result = invoke(bars, "--json", "--progress", "json", *takes_all(body))
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert lines
    assert set(lines[0]) == {"progress", "time", "events", "events_per_second", "orders"}
    assert [line["progress"] for line in lines] == sorted(line["progress"] for line in lines)
