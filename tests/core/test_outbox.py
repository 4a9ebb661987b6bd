"""What a session may see, and how it is brought up to date."""

from __future__ import annotations

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Event
from fastrouter.core.router import Router

from .peer import START, Kept, Peer, drain, quote


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def router(kept) -> Router:
    return Router(clock=Clock(START), recorder=kept)


def orders(peer: Peer) -> list[int]:
    return [m["order"]["n"] for m in peer.read() if m["type"] == "order"]


class TestAllow:
    EVERYTHING = (("*", "order"), ("S:*", "order"), ("*", "quote"), ("*", "signal"))

    def publish(self, router: Router) -> None:
        for n, account in enumerate([None, "a", "b", "c"]):
            router.publish("order", {"n": n}, account=account)
        router.publish(Event("order", {"n": 4}, symbol="S:A", account="a"))
        router.publish("order", {"n": 5, "account_id": "b", "symbol": "S:A"})
        drain(router)

    @pytest.mark.parametrize(
        ("accounts", "seen"),
        [
            (None, [0, 1, 2, 3, 4, 5]),
            ([], []),
            (["a"], [1, 4]),
            ({"b", "default"}, [0, 2, 5]),
            (["nobody"], []),
        ],
    )
    def test_events_of_an_account_reach_those_who_may_see_it(self, router, accounts, seen):
        peer = Peer(router, *self.EVERYTHING)
        other = Peer(router, *self.EVERYTHING)
        peer.outbox.allow(accounts)
        self.publish(router)
        assert orders(peer) == seen
        assert orders(other) == [0, 1, 2, 3, 4, 5]

    def test_what_belongs_to_nobody_reaches_all(self, router):
        peer = Peer(router, *self.EVERYTHING)
        peer.outbox.allow([])
        router.publish("signal", {}, account="a")
        router.publish(quote("S:A"))
        drain(router)
        assert [m["type"] for m in peer.read()] == ["signal", "quote"]

    def test_it_holds_for_what_comes_after(self, router):
        peer = Peer(router, *self.EVERYTHING)
        router.publish("order", {"n": 1}, account="a")
        peer.outbox.allow(["b"])
        router.publish("order", {"n": 2}, account="a")
        router.publish("order", {"n": 3}, account="b")
        peer.outbox.allow(None)
        router.publish("order", {"n": 4}, account="a")
        drain(router)
        assert orders(peer) == [1, 3, 4]

    def test_a_blocked_session_keeps_only_what_it_may_see(self, router):
        peer = Peer(router, *self.EVERYTHING, room=0)
        peer.outbox.allow(["a"])
        router.publish(quote("S:A"))
        drain(router)
        self.publish(router)
        peer.release()
        drain(router)
        assert orders(peer) == [1, 4]

    @pytest.mark.parametrize("accounts", ["ab", [1], 5])
    def test_what_names_no_accounts(self, router, accounts):
        peer = Peer(router, *self.EVERYTHING)
        with pytest.raises(TypeError):
            peer.outbox.allow(accounts)
        self.publish(router)
        assert len(orders(peer)) == 6
