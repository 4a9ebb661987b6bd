"""The command line: parsing in this process, the real thing in processes of its own."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fastrouter import __version__, app, cli, config
from fastrouter.commands import app as commands
from fastrouter.errors import FeedError

COMMAND = [sys.executable, "-W", "error", "-m", "fastrouter.cli"]


def invoke(*arguments: str):
    return CliRunner().invoke(commands, list(arguments))


# ---- parsing


def test_version():
    assert invoke("--version").output == f"fastrouter {__version__}\n"


def test_serve_overrides_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "f.toml"
    file.write_text('[server]\nport = 1\nhost = "h"\n')
    served = []
    monkeypatch.setattr(app, "serve", lambda settings, **_: served.append(settings) or True)
    result = invoke(
        "serve", "--config", str(file), "--port", "0", "--symbols", "S:A,S:B", "--rate", "max",
        "--columns", "time=0,bid=1", "--speed", "2.5", "--loop", "--no-strict",
        "--cert", "c.pem", "--key", "c.key", "--no-control", "--control-port", "7",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    (settings,) = served
    assert (settings.server.host, settings.server.port) == ("h", 0)
    assert settings.feed.synthetic.symbols == ("S:A", "S:B")
    assert settings.feed.synthetic.rate == float("inf")
    assert settings.feed.replay.columns == {"time": 0, "bid": 1}
    assert (settings.feed.replay.speed, settings.feed.replay.loop) == (2.5, True)
    assert (settings.server.cert, settings.server.key) == (Path("c.pem"), Path("c.key"))
    assert (settings.control.enabled, settings.control.port) == (False, 7)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--port", "x"), "server.port = 'x' (command line)"),
        (("serve", "--subscriptions", "S:AAPL"), "'S:AAPL'"),
        (("serve", "--feed", "replay"), "names no file"),
        (("serve", "--config", "/nowhere.toml"), "/nowhere.toml cannot be read"),
        (("config", "check", "--config", "/nowhere.toml"), "/nowhere.toml cannot be read"),
    ],
)
def test_what_is_configured_wrong_is_status_2(arguments: tuple[str, ...], said: str):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("INVALID_CONFIG: ")
    assert said in result.stderr


def test_what_goes_wrong_is_status_1(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> bool:
        raise FeedError("line 4: no number")

    monkeypatch.setattr(app, "serve", fail)
    result = invoke("serve")
    assert (result.exit_code, result.stderr) == (1, "FEED_ERROR: line 4: no number\n")


def test_a_drain_cut_short_is_status_1(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app, "serve", lambda *_, **__: False)
    assert invoke("serve").exit_code == 1


def test_config_check():
    assert invoke("config", "check").exit_code == 0


def test_config_show():
    assert 'host = "127.0.0.1"                       # default' in invoke("config", "show").output


def test_config_schema():
    schema = json.loads(invoke("config", "schema").output)
    assert schema["title"] == "fastrouter"
    assert set(schema["properties"]) == {
        *("server", "ports", "auth", "limits", "journal", "feed", "bus", "store"),
        *("broker", "backtest", "control", "strategies", "jobs", "log"),
    }


@pytest.mark.parametrize(
    ("text", "served"),
    [
        ("off", {}),
        (
            "rest=8081,ai=off,backtest=9",
            {"rest": 8081, "market": 3001, "risk": 3002, "backtest": 9},
        ),
        (" market = 0 ", {"rest": 8080, "ai": 8000, "market": 0, "risk": 3002, "backtest": 8081}),
    ],
)
def test_the_other_ports(monkeypatch: pytest.MonkeyPatch, text: str, served: dict):
    for name in config.Ports.model_fields:
        monkeypatch.delenv(f"FASTROUTER_PORTS__{name.upper()}")
    seen = []
    monkeypatch.setattr(app, "serve", lambda settings, **_: seen.append(settings) or True)
    assert invoke("serve", "--ports", text).exit_code == 0
    assert dict(seen[0].ports.served()) == served


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rest", "--ports rest: 'rest' has no =; allowed: off, or NAME=PORT items"),
        ("rest=x", "ports.rest = 'x' (command line)"),
        (
            "web=1",
            "ports.web = '1' (command line): no such setting; "
            "allowed: rest, ai, market, risk, backtest",
        ),
    ],
)
def test_what_are_no_ports(text: str, said: str):
    result = invoke("serve", "--ports", text)
    assert result.exit_code == 2
    assert said in result.stderr


def test_tail_of_no_url():
    result = invoke("tail", "http://h")
    assert result.exit_code == 1
    assert "INVALID_URL: 'http://h' is not a WebSocket URL" in result.stderr


def test_a_bench_that_is_none():
    result = invoke("bench", "coffee")
    assert result.exit_code == 2
    assert "allowed: fanout, idle, echo, fuzz," in result.stderr


def test_a_bench_gets_its_own_options(monkeypatch: pytest.MonkeyPatch):
    from fastrouter.commands import bench

    ran = []
    monkeypatch.setitem(bench.BENCHES, "fanout", lambda *call: ran.append(call) or 3)
    assert invoke("bench", "fanout", "--json", "--sessions", "10").exit_code == 3
    assert invoke("bench", "--json").exit_code == 3
    assert ran == [("fanout", ["--json", "--sessions", "10"]), ("fanout", ["--json"])]


def test_a_base_install_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in [name for name in sys.modules if name.startswith("fastrouter.commands")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert "pip install 'fastrouter[server]'" in capsys.readouterr().err


# ---- the real thing


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server on a free port, and the URL that it tells."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert process.stdout is not None
    try:
        told = ""
        while "stop it" not in told:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            told += line
        yield process, re.findall(r"fastrouter tail (\S+)", told)[0]
    finally:
        process.kill()
        process.communicate()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_tail_and_a_clean_end(number: signal.Signals):
    with serving("--rate", "200", "--log-format", "json") as (server, url):
        tail = run("tail", url, "-s", "S:AAPL:quote", "--json", "--count", "3")
        assert tail.returncode == 0, tail.stderr
        welcome, *quotes = map(json.loads, tail.stdout.splitlines())
        assert welcome["event"] == "CONNECTED"
        assert [(one["type"], one["quote"]["symbol"]) for one in quotes] == [
            ("quote", "S:AAPL")
        ] * 3
        seq = [one["quote"]["seq"] for one in quotes]
        assert seq == list(range(seq[0], seq[0] + 3))
        pretty = run("tail", url, "--count", "3")
        assert len(pretty.stdout.splitlines()) == 4  # the welcome is not counted
        bad = run("tail", url, "-s", "bad", "--count", "1")
        assert (bad.returncode, bad.stderr.partition(":")[0]) == (1, "INVALID_SUBSCRIPTION")
        assert "\x1b" not in pretty.stdout
        server.send_signal(number)
        _, log = server.communicate(timeout=30)
        assert server.returncode == 0, log
        events = [json.loads(line)["event"] for line in log.splitlines()]
        assert events[-3:] == ["feed stopped", "draining", "stopped"]


def test_tail_ends_well_when_interrupted_or_no_longer_read():
    with serving("--rate", "2000") as (_, url):
        tail = subprocess.Popen([*COMMAND, "tail", url, "--json"], stdout=subprocess.PIPE)
        assert tail.stdout is not None
        tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        tail.communicate(timeout=30)
        assert tail.returncode == 0

        tail = subprocess.Popen(
            [*COMMAND, "tail", url, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert tail.stdout is not None
        assert tail.stderr is not None
        tail.stdout.readline()
        tail.stdout.close()
        assert tail.stderr.read() == b""
        tail.stderr.close()
        assert tail.wait(30) == 0


def test_tail_says_what_it_cannot_do():
    with serving("--rate", "200") as (_, url):
        for options in ((), ("--json",)):
            refused = run("tail", url, "-s", "nonsense", *options)
            assert refused.returncode == 1
            assert refused.stderr.startswith("INVALID_SUBSCRIPTION: ")
            assert "nonsense" in refused.stderr

        with Path("/dev/full").open("w") as full:
            tail = subprocess.run(
                [*COMMAND, "tail", url], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
            )
        assert tail.returncode == 1
        assert tail.stderr == (
            "OUTPUT_FAILED: standard output cannot be written: No space left on device\n"
        )


def test_tail_of_what_is_no_websocket_endpoint():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

        server = threading.Thread(target=answer)
        server.start()
        tail = run("tail", f"ws://127.0.0.1:{listener.getsockname()[1]}")
        server.join()
    assert tail.returncode == 1
    assert "check the URL: the server answered HTTP 200: hello" in tail.stderr
    assert "Traceback" not in tail.stderr


def test_tail_is_given_its_choices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from fastrouter.commands import tail

    monkeypatch.setenv("PROXY_TOKEN", "secret")
    made = []
    monkeypatch.setattr(tail, "Connection", lambda options: made.append(options))
    monkeypatch.setattr(tail, "_print", lambda *_: None)
    monkeypatch.setattr(app, "run", lambda _: None)
    result = invoke("tail", "wss://h", "--since", "evt_7", "--conflate", "1s", "--insecure")
    assert result.exit_code == 0, result.output
    (options,) = made
    assert (options.since, options.conflate, options.token) == (7, "1s", "secret")
    assert options.ssl_context.verify_mode == ssl.CERT_NONE

    result = invoke("tail", "wss://h", "--cafile", str(tmp_path / "none.pem"))
    assert (result.exit_code, result.stderr.partition(":")[0]) == (1, "INVALID_CAFILE")
    result = invoke("tail", "ws://h", "--since", "yesterday")
    assert (result.exit_code, result.stderr.partition(":")[0]) == (1, "INVALID_SINCE")


def test_a_taken_port():
    with serving() as (_, url):
        port = re.findall(r":(\d+)/", url)[0]
        result = run("serve", "--port", port)
    assert result.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "choose another with --port" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_replay_that_ends(tmp_path: Path):
    file = tmp_path / "ticks.csv"
    file.write_text(
        "time,bid,ask\n"
        "2020-01-01T00:00:00Z,1.1,1.2\n"
        "2020-01-01T00:00:01Z,oops,1.2\n"
        "2020-01-01T00:00:02Z,1.3,1.4\n"
    )
    spec = f"replay:{file}"
    result = run(
        "serve", "--port", "0", "--feed", spec, "--symbol", "C:EURUSD", "--speed", "max",
        "--exit-when-done", "--log-format", "json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    ended = [json.loads(line) for line in result.stderr.splitlines() if "feed ended" in line]
    assert (ended[0]["published"], ended[0]["bad_rows"]) == (2, 1)

    result = run("serve", "--port", "0", "--feed", spec, "--symbol", "C:EURUSD", "--strict")
    assert result.returncode == 1
    assert "FEED_ERROR: " in result.stderr
    assert "line 3" in result.stderr
    assert "Traceback" not in result.stderr
