"""The short form of the fuzzer."""

import pytest

from fastrouter.bench import fuzz, inputs, requests


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_some_thousand_inputs_break_nothing(capsys, kind):
    status = fuzz.main(["--kind", kind, "--inputs", "5000", "--workers", "2"])
    out = capsys.readouterr().out
    assert status == 0, out
    assert "FAULT" not in out


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_a_connection_repeats(capsys, kind):
    assert fuzz.main(["--kind", kind, "--only", "7"]) == 0
    sent = fuzz.KINDS[kind].script(1, 7, fuzz.INPUTS).data
    assert f"sent {sent!r}" in capsys.readouterr().out


@pytest.mark.parametrize("script", [inputs.script, requests.script])
def test_a_script_is_the_same_for_a_seed(script):
    assert script(3, 5, 20) == script(3, 5, 20)
    assert script(3, 5, 20) != script(4, 5, 20)
    assert {script(1, at, 20).legal for at in range(20)} == {True, False}
