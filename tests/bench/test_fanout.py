"""The fan-out bench: its floors deliver all, and its load generator sees what is wrong."""

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastrouter.bench import fanout, idle, measure, plot, toolchain
from fastrouter.bench.child import Child
from fastrouter.bench.summary import summarize, verdicts

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WELCOME = b'{"type":"connection","event":"CONNECTED","session_id":"fake"}'


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return measure.compile_all(tmp_path_factory.mktemp("programs"))
    except toolchain.CompilerMissing as missing:
        pytest.skip(str(missing))


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """An unmasked final frame, as RFC 6455 section 5.2 draws it."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, size])
    elif size < 65536:
        head = bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big")
    return head + payload


def quote(seq: int, *, symbol: int = 0, snapshot: bool = False, age_us: int = 0) -> bytes:
    stamp = str(time.monotonic_ns() // 1000 - age_us)
    body: dict[str, Any] = {
        "symbol": f"S:SYM{symbol:04d}",
        "bid": "150.25",
        "ask": "150.27",
        "last": "150.26",
        "bid_size": stamp,
        "ask_size": stamp,
        "seq": seq,
    }
    if snapshot:
        body["snapshot"] = True
    message = {"type": "quote", "id": f"evt_{seq}", "quote": body}
    message["timestamp"] = "2025-01-01T00:00:00.000000Z"
    return json.dumps(message, separators=(",", ":")).encode()


def market(seq: int) -> bytes:
    stamp = time.monotonic_ns() // 1000
    body: dict[str, Any] = {"symbol": "S:SYM0000", "price": seq, "change_24h": 0, "volume_24h": 0}
    body |= {"high_24h": seq, "low_24h": seq, "bid": stamp, "ask": stamp}
    message = {"type": "MarketData", "data": body | {"last_update": 1697234567000}}
    return json.dumps(message | {"timestamp": 1697234567000}, separators=(",", ":")).encode()


class FakeServer:
    """Upgrades one session, sends ``wire`` in pieces of ``piece`` bytes, keeps what it hears."""

    def __init__(self, wire: Callable[[], bytes], *, piece: int = 1 << 20) -> None:
        self._wire = wire
        self._piece = piece
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self.go = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "FakeServer":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.go.set()
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        session, _ = self._listener.accept()
        with session:
            session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = session.recv(65536)
            key = next(
                line.split(b": ")[1]
                for line in request.split(b"\r\n")
                if line.startswith(b"Sec-WebSocket-Key")
            )
            accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
            session.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\n"
                b"upgrade: WebSocket\r\nsec-websocket-accept: " + accept + b"\r\n\r\n"
            )
            session.sendall(frame(WELCOME))
            self.go.wait(10)
            wire = self._wire()
            for start in range(0, len(wire), self._piece):
                session.sendall(wire[start : start + self._piece])
            while news := session.recv(65536):
                self.heard += news


def feed(programs: Path, server: FakeServer, published: int) -> dict[str, Any]:
    """What the load generator reports of one session, asked until it has as many as published."""
    command = [str(programs / "loadgen"), "--port", str(server.port), "--patience", "0"]
    with Child(command) as generator:
        assert json.loads(generator.hear_word("READY"))["sessions"] == 1
        server.go.set()
        end = time.monotonic() + 5
        while True:
            generator.tell(f"EXPECT {published}")
            report = generator.hear_json()
            if report["received"] >= published or time.monotonic() > end:
                return report


def faults(report: dict[str, Any]) -> dict[str, int]:
    return {name: report[name] for name in measure.FAULTS if report[name]}


WIRES: dict[str, tuple[list[int], dict[str, int]]] = {
    "whole": ([1, 2, 3, 4], {}),
    "skips two": ([1, 2, 5, 6], {"gaps": 1, "skipped": 2}),
    "sends one twice": ([1, 2, 2, 3], {"duplicates": 1}),
    "goes back": ([1, 2, 3, 1], {"duplicates": 1}),
}


@pytest.mark.parametrize("make", [quote, market])
@pytest.mark.parametrize("piece", [1 << 20, 7], ids=["whole", "in pieces"])
@pytest.mark.parametrize("name", WIRES)
def test_loadgen_judges_the_sequence(
    programs: Path, name: str, piece: int, make: Callable[[int], bytes]
) -> None:
    sequence, expected = WIRES[name]

    def wire() -> bytes:
        return b"".join(frame(make(seq)) for seq in sequence)

    with FakeServer(wire, piece=piece) as server:
        report = feed(programs, server, len(sequence))
    assert faults(report) == expected
    assert report["deliveries"] == report["latency"]["count"] == len(sequence)


def test_loadgen_reports_what_never_came(programs: Path) -> None:
    command = [str(programs / "loadgen"), "--patience", "0"]
    with FakeServer(lambda: frame(quote(1))) as server:
        with Child([*command, "--port", str(server.port)]) as generator:
            generator.hear_word("READY")
            generator.tell("EXPECT 3")
            report = generator.hear_json()
        assert report["missing"] == 3
        assert report["session_min"] == 0


def test_loadgen_tells_messages_apart(programs: Path) -> None:
    def wire() -> bytes:
        return b"".join(
            [
                frame(b"are you there", opcode=9),
                frame(b'{"type":"ping","timestamp":"2025-01-01T00:00:00.000000Z"}'),
                frame(quote(6, snapshot=True)),
                frame(b'{"type":"order","note":"' + b"x" * 70_000 + b'"}'),
                frame(quote(7, symbol=9)),
                frame(quote(7)[:-1]),
                frame(quote(7, age_us=2_000_000)),
            ]
        )

    with FakeServer(wire, piece=4096) as server:
        report = feed(programs, server, 1)
    assert faults(report) == {"foreign": 1, "malformed": 1}
    assert (report["snapshots"], report["other"]) == (1, 1)
    assert 1.9e6 < report["latency"]["p50"] < 4e6
    pong = server.heard[:6]
    assert pong[0] == 0x8A
    assert pong[1] == 0x80 | len(b"are you there")
    assert server.heard[6 + 13] == 0x81


def test_case_b_asks_for_distinct_symbols_and_gets_its_share(programs: Path) -> None:
    run = measure.measure(
        measure.SUBJECTS[measure.COALESCED], measure.Case(40, rate=1000), programs, 0.2
    )
    assert run.faults == {}
    assert run.deliveries == 40 * 200 * measure.PER_SESSION // measure.SYMBOLS


def test_a_stalled_session_is_not_counted(programs: Path) -> None:
    case = measure.Case(20, stall=2)
    run = measure.measure(measure.SUBJECTS[measure.COALESCED], case, programs, 0.2)
    assert run.faults == {}
    assert run.deliveries % 18 == 0


SUBJECTS = (measure.ONE_SEND, measure.COALESCED, measure.FASTROUTER)


def test_quick_form_delivers_all_and_plots(
    programs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "latency.svg"
    arguments = ["--quick", "--subjects", ",".join(SUBJECTS), "--json", "--plot", str(picture)]
    assert fanout.main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["faults"] for row in document["rows"]] == [{}] * (2 * len(SUBJECTS))
    assert all(row["rate"]["median"] > 0 for row in document["rows"])
    assert b"<svg" in picture.read_bytes()


def test_tables_print(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fanout.main(["--quick", "--case", "A", "--subjects", measure.ONE_SEND]) == 0
    assert "A 50 sessions" in capsys.readouterr().out


def test_idle_sessions_are_held(programs: Path) -> None:
    found = idle.measure_idle(measure.SUBJECTS[measure.ONE_SEND], 50, programs, 0.0)
    assert found.sessions == 50
    assert found.after_kib >= found.before_kib > 0


def fake_run(subject: str, rate: float, p99: float, case: measure.Case) -> measure.Run:
    latency = measure.Latency(1.0, 1.0, p99, p99, p99, [(1000, 99), (2000, 1)])
    return measure.Run(subject, case, 100, 1.0, rate, 1.0, 0.5, 0.5, 0.0, latency, latency, 0.1, {})


def test_ratios_are_taken_round_by_round() -> None:
    case = measure.Case(1000)
    runs = [
        fake_run(name, base * speed, 2.0, case)
        for speed in (1.0, 2.0, 4.0)
        for name, base in (
            (measure.ONE_SEND, 10.0),
            (measure.COALESCED, 300.0),
            (measure.FASTROUTER, 270.0),
        )
    ]
    row = summarize(runs)[-1]
    assert row.to_one_send == pytest.approx(27.0)
    assert row.to_coalesced == pytest.approx(0.9)
    assert (row.rate.min, row.rate.median, row.rate.max) == (270.0, 540.0, 1080.0)
    assert all(verdict.holds for verdict in verdicts([row]))


def test_a_percentile_line_ends_at_the_last_mark() -> None:
    across, up = plot.percentile_line([(1000, 999_899), (2000, 100), (9000, 1)])
    assert up == [1.0, 2.0]
    assert across[0] == 0.0
    assert across[-1] == pytest.approx(4.0, abs=0.01)


def test_without_a_compiler_the_error_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert fanout.main(["--quick"]) == 2
    assert "install a C compiler" in capsys.readouterr().err
