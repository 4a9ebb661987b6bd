"""The lock-step bench: everything arrives, and what it tells."""

from __future__ import annotations

import json
import shutil

import pytest

from fastrouter.bench import backtest


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_a_quick_round_of_every_subject(capsys: pytest.CaptureFixture[str]):
    assert backtest.main(["--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["events_per_second"]) == {
        *("floor", "floor, by epoll", "compiled client"),
        *("window=64", "window=64, first read", "SDK client"),
    }
    assert all(rate > 0 for rate in told["events_per_second"].values())


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"events": 9, "complete": True, "hash": "a"}, "9 events of 10"),
        ({"events": 10, "complete": False, "hash": "a"}, "it has not ended"),
        ({"events": 10, "complete": True, "hash": "b"}, "the bytes differ"),
        ({"events": 10, "complete": True, "hash": "a"}, ""),
        ({"events": 10, "complete": True}, ""),
    ],
)
def test_what_did_not_arrive_is_told(found: dict, why: str):
    assert backtest.fault(10, {"a"}, found) == why
