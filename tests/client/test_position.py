"""What is a duplicate, and what only looks like one."""

import pytest

from fastrouter.client.position import Position
from fastrouter.core.event import Candle, Event, Quote


def quote(number: int, snapshot: bool = False) -> Quote:
    return Quote("S:A", bid=1, ask=2, id=number, snapshot=snapshot)


def candle(number: int, closed: bool = True, snapshot: bool = False) -> Candle:
    return Candle(
        "S:A", open=1, high=1, low=1, close=1, id=number, closed=closed, snapshot=snapshot
    )


def order(number: int) -> Event:
    return Event("order", {}, id=number)


def gap() -> Event:
    return Event("error", {"code": "RESUME_GAP", "message": "from evt_1 on"})


def resumed(since: int) -> Position:
    position = Position(since)
    position.open()
    return position


def admitted(position: Position, *events: Quote | Candle | Event) -> list[bool]:
    return [position.admit(event) for event in events]


def test_the_highest_id_is_where_to_resume():
    position = Position()
    assert position.since is None
    assert admitted(position, order(3), quote(7), candle(5, closed=False)) == [True] * 3
    assert position.since == 7


def test_the_very_beginning_is_a_position():
    assert Position(0).since == 0


def test_a_session_that_did_not_resume_guards_nothing():
    position = Position()
    position.open()
    assert admitted(position, order(3), order(3), candle(2)) == [True] * 3


def test_lossless_events_that_came_before_are_dropped():
    position = resumed(10)
    events = (order(11), candle(12), order(11), candle(12), order(13), order(10))
    assert admitted(position, *events) == [True, True, False, False, True, False]
    assert position.since == 13


def test_what_came_in_an_earlier_session_is_dropped_too():
    position = Position()
    admitted(position, order(3), order(4))
    position.open()
    assert admitted(position, order(5), order(4)) == [True, False]


def test_quotes_may_come_after_higher_ids():
    """Conflation: lossless events overtake the quotes of a session that is behind."""
    position = resumed(10)
    assert admitted(position, order(15), quote(12), candle(13, closed=False)) == [True] * 3
    assert position.since == 15


def test_snapshots_are_older_than_what_is_replayed():
    position = resumed(10)
    events = (quote(4, True), candle(3, snapshot=True), order(11), quote(5, True), quote(9, True))
    assert admitted(position, *events) == [True] * 5
    assert position.since == 11


def test_a_gap_that_begins_a_new_numbering():
    """A server without a journal restarted: its ids are new, however low."""
    position = resumed(5000)
    assert admitted(position, gap()) == [True]
    assert position.since == 5000  # until there is something to put in its place
    assert admitted(position, candle(1), order(2), quote(2, True), quote(3)) == [True] * 4
    assert position.since == 3
    assert admitted(position, order(2), order(4)) == [False, True]


def test_a_gap_in_the_same_numbering():
    position = resumed(5)
    assert admitted(position, gap(), order(100), order(100), order(101)) == [
        True, True, False, True,
    ]  # fmt: skip
    assert position.since == 101


@pytest.mark.parametrize("first", [quote, candle, order])
def test_a_server_that_begins_again_without_a_word_is_heard(first):
    """It does not know of resuming, so nothing of it may be swallowed."""
    position = resumed(5000)
    events = (quote(900, True), first(1), order(2), candle(2), order(1))
    assert admitted(position, *events) == [True] * 5
    assert position.since == 2


def test_messages_that_were_not_decoded_only_move_it_on():
    position = resumed(10)
    assert admitted(position, *(Event("message", b"", id=n) for n in (4, 12, 11))) == [True] * 3
    assert position.since == 12


def test_a_welcome_names_the_first_position():
    position = Position()
    welcome = Event("connection", {"event": "CONNECTED", "last_id": "evt_41"})
    assert position.admit(welcome)
    assert position.since == 41
    position.admit(Event("connection", {"event": "CONNECTED", "last_id": "evt_99"}))
    assert position.since == 41


@pytest.mark.parametrize("payload", [{"last_id": "x"}, {"last_id": None}, {}, b"", None])
def test_a_welcome_that_names_none(payload: object):
    position = Position()
    assert position.admit(Event("connection", payload))
    assert position.since is None


def test_what_was_taken_is_followed_alike():
    position = Position(7)
    position.advance([quote(5, True), order(8), quote(12), order(11)])
    assert position.since == 12
    position.advance([gap(), order(1), quote(4), order(3)])
    assert position.since == 4
