from __future__ import annotations

from fastrouter import Router
from fastrouter.control.strategies.venue import BotVenue


class Noted(Router):
    def publish_event(self, *event) -> None:
        self.noted = event

    def publish(self, *event) -> int:
        self.noted = event
        return 7


def test_an_accounts_event_says_what_runs():
    router = Noted()
    venue = BotVenue(router)
    venue.publish_event("account", {"id": "a"}, "", 5)
    assert router.noted == ("account", {"id": "a"}, "", 5)
    venue.bot = lambda: {"enabled_strategies": ["Mine"]}
    venue.publish_event("account", {"id": "a"}, "", 5)
    assert router.noted == ("account", {"id": "a", "enabled_strategies": ["Mine"]}, "", 5)
    venue.publish_event("order", {"id": "a"}, "", 5)
    assert router.noted == ("order", {"id": "a"}, "", 5)
    assert venue.tally.orders == {"": 1}
    assert venue.publish("signal", {}) == 7
    assert (venue.clock, venue.last_id) == (router.clock, router.last_id)
    with venue.batch():
        assert venue.market is router.market
