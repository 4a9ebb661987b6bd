"""Limits of our own: the process keeps its."""

from __future__ import annotations

import resource

import pytest
from structlog.testing import capture_logs

from fastrouter.app import descriptors
from fastrouter.app.descriptors import RESERVE, provide


@pytest.fixture
def limits(monkeypatch) -> list[tuple[int, int]]:
    """The limits, the newest last; a hard one of -1 is said but not granted."""
    found = [(256, 4096)]

    def change(what, new):
        if new[1] == resource.RLIM_INFINITY:
            raise ValueError("not allowed to exceed maximum limit")
        found.append(new)

    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda what: found[-1])
    monkeypatch.setattr(descriptors.resource, "setrlimit", change)
    return found


@pytest.mark.parametrize("connections", [0, 1000, 4096 - RESERVE])
def test_the_soft_limit_becomes_the_hard_one(limits, connections):
    with capture_logs() as logs:
        assert provide(connections) == 4096
        assert provide(connections) == 4096
    assert limits == [(256, 4096), (4096, 4096)]
    assert not logs


def test_what_cannot_fit_is_warned_of(limits):
    with capture_logs() as logs:
        assert provide(4097 - RESERVE) == 4096
    (line,) = logs
    assert (line["log_level"], line["descriptors"], line["needed"]) == ("warning", 4096, 4097)


def test_what_is_not_granted_is_left(limits):
    limits.append((256, resource.RLIM_INFINITY))
    with capture_logs() as logs:
        assert provide(1000) == 256
    assert len(logs) == 1


def test_no_limit_at_all(limits):
    limits.append((resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with capture_logs() as logs:
        assert provide(1 << 40) == resource.RLIM_INFINITY
    assert not logs
