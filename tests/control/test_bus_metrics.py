from __future__ import annotations

from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from fastrouter.control.bus_metrics import BusMetrics

FEED = SimpleNamespace(publishers=1, published=2, bad_rows=3)
OUTLET = SimpleNamespace(subscribers=4, sent=5, failures=6)
RECEIVING = {"bus_publishers 1.0", "bus_received_total 2.0", "bus_left_out_total 3.0"}
SENDING = {"bus_subscribers 4.0", "bus_sent_total 5.0", "bus_failures_total 6.0"}


@pytest.mark.parametrize(
    ("feed", "outlet", "lines"),
    [
        (FEED, OUTLET, RECEIVING | SENDING),
        (FEED, None, RECEIVING),
        (None, OUTLET, SENDING),
        (None, None, set()),
    ],
)
def test_what_is_there_is_told(feed, outlet, lines):
    registry = CollectorRegistry()
    registry.register(BusMetrics(feed, outlet))
    text = generate_latest(registry).decode()
    told = {line for line in text.splitlines() if line and not line.startswith("#")}
    assert told == {f"fastrouter_{line}" for line in lines}
