"""A sink that hands over messages."""

from __future__ import annotations

import orjson
import pytest

from fastrouter.core.sink import MessageSink

from .peer import DIALECT, drain

SIZES = (0, 1, 40, 100, 125, 126, 127, 300, 65_000, 66_000, 100_000)


def signals(router, *texts: str) -> None:
    for text in texts:
        router.publish("signal", {"text": text})


@pytest.fixture
def received() -> list[bytes]:
    return []


def attach(router, receive):
    sink = MessageSink(receive)
    outbox = router.attach(sink, DIALECT)
    outbox.subscribe([("*", "signal")])
    return sink, outbox


@pytest.mark.parametrize("together", [True, False])
def test_messages_of_every_size_arrive_whole_and_in_order(router, received, together):
    _, outbox = attach(router, received.append)
    for size in SIZES:
        signals(router, "x" * size)
        if not together:
            drain(router)
    drain(router)
    assert [len(orjson.loads(one)["signal"]["text"]) for one in received] == list(SIZES)
    assert outbox.delivered == len(SIZES)
    assert not outbox.blocked


def test_what_is_no_text_is_not_handed_over(router, received):
    _, outbox = attach(router, received.append)
    outbox.control(b"", opcode=9)
    outbox.control(b"{}")
    drain(router)
    assert received == [b"{}"]


def test_a_receiver_that_raises_costs_one_message(router, received):
    def receive(payload: bytes) -> None:
        if b"bad" in payload:
            raise ValueError("not that")
        received.append(payload)

    sink, outbox = attach(router, receive)
    signals(router, "a", "bad", "b")
    drain(router)
    assert [orjson.loads(one)["signal"]["text"] for one in received] == ["a", "b"]
    assert (sink.failures, str(sink.error)) == (1, "not that")
    assert not outbox.blocked
