"""The short form of the crash, and what it calls a fault."""

import io

import pytest

from fastrouter.bench import crash


def test_nothing_is_lost_over_two_crashes(capsys):
    status = crash.main(["--crashes", "2", "--sessions", "20"])
    out = capsys.readouterr().out
    assert status == 0, out


FOUND = {"faults": [], "gaps": 0, "in order": True, "connections": 6, "healthy": 2}


def test_what_is_as_it_must_be_has_no_fault():
    assert crash.faults(FOUND, 2, io.BytesIO(b"warning: all is well")) == []


@pytest.mark.parametrize(
    ("changes", "log"),
    [
        ({"faults": ["session 1: saw nothing"]}, b""),
        ({"gaps": 1}, b""),
        ({"in order": False}, b""),
        ({"connections": 5}, b""),
        ({}, b"Traceback (most recent call last):"),
    ],
)
def test_a_fault_is_told(changes, log):
    assert len(crash.faults(FOUND | changes, 2, io.BytesIO(log))) == 1
