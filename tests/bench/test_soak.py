"""The short form of the soak, and what it calls a fault."""

import pytest

from fastrouter.bench import soak


def test_a_hundred_sessions_lose_nothing(capsys):
    status = soak.main(
        ["--sessions", "100", "--seconds", "4", "--kills", "5", "--flood", "200", "--no-ratio"]
    )
    out = capsys.readouterr().out
    assert status == 0, out


def found(**changes) -> soak.Found:
    swarm = {"faults": [], "events": 3, "gaps": 0, "in order": True, "p99_us": 1.0}
    resident = changes.pop("resident", [5 << 20] * 8)
    return soak.Found(swarm | changes, {"number": 3}, resident, [])


def test_what_is_as_it_must_be_has_no_fault():
    assert found().faults() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"faults": ["session 1: saw nothing"]},
        {"events": 2},
        {"gaps": 1},
        {"in order": False},
        {"resident": [at << 24 for at in range(8)]},
    ],
)
def test_a_fault_is_told(changes):
    assert len(found(**changes).faults()) == 1
