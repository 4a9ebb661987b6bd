"""Which state may follow which."""

from __future__ import annotations

import pytest

from fastrouter.broker.order import OPEN, TERMINAL, TRANSITIONS
from fastrouter.broker.payloads import EVENTS
from fastrouter.errors import OrderError

from .desk import Desk


def test_every_state_leads_to_an_end_and_ends_lead_nowhere():
    assert {"filled", "canceled", "expired", "replaced", "rejected"} == TERMINAL
    assert {"accepted", "new", "partially_filled", "pending_cancel", "pending_replace"} == OPEN
    reached = {"pending_new"}
    while more := {after for one in reached for after in TRANSITIONS[one]} - reached:
        reached |= more
    assert reached == set(TRANSITIONS)
    for status in OPEN:
        assert TRANSITIONS[status] & TERMINAL


def test_every_end_is_announced():
    assert set(EVENTS) >= TERMINAL


@pytest.mark.parametrize("before", TRANSITIONS)
@pytest.mark.parametrize("after", TRANSITIONS)
def test_only_what_the_table_says_may_follow(before, after):
    desk = Desk()
    desk.quote(99, 100)
    order = desk.order()._replace(status=before)
    if after in TRANSITIONS[before]:
        moved = order.moved(after, 5)
        assert (moved.status, moved.updated_at) == (after, 5)
        assert moved.is_open == (after in OPEN)
    else:
        with pytest.raises(OrderError, match=f"is {before}; {after} may not follow, allowed: "):
            order.moved(after, 5)


def test_the_time_of_each_end_is_kept():
    desk = Desk()
    desk.quote(99, 100)
    order = desk.order()
    assert order.moved("filled", 5).filled_at == 5
    assert order.moved("canceled", 5).canceled_at == 5
    assert order.moved("expired", 5).expired_at == 5
    assert order.moved("replaced", 5).replaced_at == 5
    assert order.moved("canceled", 5).filled_at is None
