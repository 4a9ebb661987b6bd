"""What a slow session gets, whatever carries it."""

from __future__ import annotations

from fastrouter import Quote, Router

from .wire import Wire


def _quote(bid: float) -> Quote:
    return Quote("S:AAPL", bid=bid, ask=bid + 1)


async def conflates(router: Router, well: Wire, slow: Wire) -> None:
    """Quotes to `slow`, which does not read for a while, conflate; `well` gets each at once."""
    slow.writer.transport.pause_reading()
    count = 0
    while not router.counters().conflated["quote"] or count % 100:
        count += 1
        router.publish(_quote(float(count)))
        assert (await well.message())["quote"]["seq"] == count
    slow.writer.transport.resume_reading()
    seqs = []
    while not seqs or seqs[-1] < count:
        seqs.append((await slow.message())["quote"]["seq"])
    assert seqs == sorted(set(seqs))
    assert len(seqs) < count
    router.publish(_quote(1.0))
    assert (await slow.message())["quote"]["seq"] == count + 1
