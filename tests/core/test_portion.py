"""What one visit sends to a session that is off the ring."""

from __future__ import annotations

from .peer import Peer, body, drain, quote


def test_a_large_snapshot_is_sent_in_parts(router):
    for n in range(3000):
        router.publish(quote(f"S:{n}"))
    peer = Peer(router, ("*", "quote"))
    other = Peer(router, ("S:1", "quote"))
    router.flush(2)
    assert peer.sink.writes == 1
    assert len(other.read()) == 1
    drain(router)
    assert sorted(body(m)["symbol"] for m in peer.read()) == sorted(f"S:{n}" for n in range(3000))
    assert peer.sink.writes > 5
    assert not peer.outbox.waiting
