"""The short form of the fuzzer, and what it calls a fault."""

import json

import pytest

from fastrouter.bench import fuzz, inputs


def test_some_thousand_inputs_break_nothing(capsys):
    status = fuzz.main(["--inputs", "5000", "--workers", "2"])
    out = capsys.readouterr().out
    assert status == 0, out
    assert "FAULT" not in out


def test_a_connection_repeats(capsys):
    assert fuzz.main(["--only", "7"]) == 0
    assert f"sent {inputs.script(1, 7, fuzz.INPUTS).data!r}" in capsys.readouterr().out


def test_a_script_is_the_same_for_a_seed():
    assert inputs.script(3, 5, 20) == inputs.script(3, 5, 20)
    assert inputs.script(3, 5, 20) != inputs.script(4, 5, 20)
    assert {script.legal for script in (inputs.script(1, at, 20) for at in range(20))} == {
        True,
        False,
    }


OK = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
TEXT = b"\x81\x0e" + json.dumps({"type": "ab"}).encode()
FAULTS = {
    "hung": OK + fuzz.HUNG,
    "no HTTP": b"SSH-2.0",
    "status": b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
    "masked": OK + b"\x81\x80mask",
    "fragment": OK + b"\x01\x00",
    "reserved bit": OK + b"\xc1\x00",
    "not whole": OK + TEXT[:-1],
    "no type": OK + b"\x81\x02{}",
    "binary": OK + b"\x82\x00",
    "close code": OK + b"\x88\x02\x03\xed",
    "after the close": OK + b"\x88\x02\x03\xe8" + TEXT,
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told(name):
    with pytest.raises(fuzz.BadAnswer):
        fuzz.judge(FAULTS[name], legal=False)


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (b"", "cut"),
        (OK + TEXT, "cut"),
        (OK + TEXT + b"\x88\x02\x03\xea", "close 1002"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n{}", "HTTP 404"),
    ],
)
def test_how_a_connection_may_end(answer, how):
    assert fuzz.judge(answer, legal=False) == how
    with pytest.raises(fuzz.BadAnswer):
        fuzz.judge(answer, legal=True)


def test_the_sentinels_pong_is_all_that_is_well():
    pong = b"\x8a" + bytes([len(inputs.SENTINEL)]) + inputs.SENTINEL
    assert fuzz.judge(OK + TEXT + pong, legal=True) == "well"
