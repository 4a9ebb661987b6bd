from __future__ import annotations

from typing import Any

import pytest

from fastrouter.control.strategies.named import Named
from fastrouter.control.tally import Tally

from .house import FakeDesk


class Desk(FakeDesk):
    def signal(self, payload: dict[str, Any]) -> str:
        self.said = payload
        return "evt_1"


@pytest.mark.parametrize(
    ("said", "strategy", "name"),
    [
        ({"strategy_id": "mine"}, "mine", "Mine"),
        ({"strategy_id": "mine", "strategy": "theirs"}, "theirs", "Mine"),
        ({"strategy_id": "mine", "name": "My own"}, "mine", "My own"),
        ({"strategy_id": "other"}, None, None),
        ({}, None, None),
    ],
)
async def test_a_signal_bears_its_strategys_id_and_name(said, strategy, name):
    desk = Desk()
    tally = Tally()
    named = Named(desk, {"mine": "Mine"}.get, tally)
    assert named.signal(said) == "evt_1"
    assert (desk.said.get("strategy"), desk.said.get("name")) == (strategy, name)
    assert named.broker is desk.broker
    assert named.now() <= desk.now()
    assert await named.change(lambda broker, now: broker.kill(now))
    assert sum(tally.waits) == 1
