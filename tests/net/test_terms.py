"""What a session gets, by its route and the dialect it asks for."""

from __future__ import annotations

import pytest

from fastrouter.net.route import Route
from fastrouter.net.terms import _manners
from fastrouter.session.manners import manners

JOBS = Route("/api/ws/jobs/{job_uuid}", "dgbit", "dgbit-job")


def test_a_route_has_the_manners_it_names():
    assert _manners(JOBS, "dgbit") is manners("dgbit-job")
    assert _manners(Route("/ws", "botcore"), "botcore") is manners("botcore")


@pytest.mark.parametrize("dialect", ["trading-api", "orchestrator", "botcore", "botcore-ai"])
def test_in_another_dialect_a_path_subscribes_to_the_same(dialect):
    found = _manners(JOBS, dialect)
    assert found == manners(dialect)._replace(subscriptions="{}:job")
