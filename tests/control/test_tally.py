from __future__ import annotations

import pytest

from fastrouter.control.tally import BUCKETS, Tally


def test_what_became_of_orders_and_which_limits_were_breached():
    tally = Tally()
    tally.announced("order", {"event": "ORDER_PARTIALLY_FILLED"})
    tally.announced("order", {"event": "ORDER_FILLED"})
    tally.announced("order", {"event": "ORDER_FILLED"})
    tally.announced("risk", {"event": "limit_breached", "rule": "maxPositionValue"})
    tally.announced("risk", {"event": "status", "rule": "maxPositionValue"})
    tally.announced("trade", {"event": "TRADE_OPENED"})
    assert tally.orders == {"partially_filled": 1, "filled": 2}
    assert tally.breaches == {"maxPositionValue": 1}


def test_an_event_of_a_broker_that_says_less_is_no_fault():
    tally = Tally()
    tally.announced("order", {})
    tally.announced("risk", {"event": "limit_breached"})
    assert (tally.orders, tally.breaches) == ({"": 1}, {"": 1})


@pytest.mark.parametrize(
    ("ns", "bucket"),
    [
        (-1, 0),
        (999, 0),
        (1_000, 1),
        (1_999, 1),
        (2_000, 2),
        (5_000_000, 13),
        (10**18, BUCKETS - 1),
    ],
)
def test_how_long_a_change_took(ns, bucket):
    tally = Tally()
    tally.answered(ns)
    assert [at for at, count in enumerate(tally.waits) if count] == [bucket]
    assert tally.waited == max(0, ns // 1000)
