"""One replay, step by step, against an outbox and a journal made for it."""

from types import SimpleNamespace

import pytest

from fastrouter.journal.pages import PAGE_BYTES, Page, Pages
from fastrouter.journal.replay import Replay, State
from fastrouter.journal.tail import Tail

from .events import entries, entry, ids, packed


class Outbox:
    """Takes records; `muted` takes them and sends nothing."""

    def __init__(self):
        self.got = []
        self.live = False
        self.muted = False

    def replay(self, records):
        assert not self.live
        self.got += ids(records)
        return 0 if self.muted else sum(len(record.body) for record in records)

    def go_live(self):
        assert not self.live
        self.live = True


class Pump:
    def __init__(self):
        self.step_bytes = 40
        self.queue = []

    def ready(self, replay):
        self.queue.append(replay)

    def discard(self, replay):
        pass


class Journal:
    """Events 1 to 20: the store has those up to 12, the tail those from 9 on."""

    def __init__(self):
        self.pump = Pump()
        self.tail = Tail(1 << 20, start=8)
        self.stored = entries(*range(1, 13))
        self.reads = []
        self.pages = Pages(lambda after, done: self.reads.append((after, done)),
                           lambda: self.tail.after)  # fmt: skip
        self.missing = 0
        self.failures = []
        self.replay_failed = self.failures.append
        for one in entries(*range(9, 21)):
            self.tail.append(packed(one))

    def page(self, position):
        page = self.pages.get(position)
        if page is None and self.tail.after <= position < self.tail.last:
            found = self.tail.page(position, PAGE_BYTES)
            page = self.pages.put(Page(position, found[-1].id, found))
        return page

    def missing_after(self, position):
        return self.missing if self.missing > position else 0

    def describe_gap(self, position, end):
        return f"{position}..{end}"

    def answer(self, *, fail=False):
        after, done = self.reads.pop()
        done(None if fail else [one for one in self.stored if one.id > after][:3])


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture
def outbox():
    return Outbox()


@pytest.fixture
def gaps():
    return []


@pytest.fixture
def begin(journal, outbox, gaps):
    def at(since):
        replay = Replay(journal, outbox, since, gaps.append, pytest.fail)
        journal.pump.ready(replay)
        return replay

    return at


def run(journal, replay):
    """Do all there is to do; the socket takes everything at once."""
    for _ in range(100):
        if journal.pump.queue:
            journal.pump.queue.pop(0).step()
        elif journal.reads:
            journal.answer()
        elif replay.state is State.OVER:
            return
        else:
            replay.drained()
    raise AssertionError("it never ends")


@pytest.mark.parametrize("since", range(21))
def test_all_that_follows_in_order_and_then_live(journal, outbox, gaps, begin, since):
    run(journal, begin(since))
    assert outbox.got == list(range(since + 1, 21))
    assert outbox.live
    assert gaps == []


def test_the_next_step_waits_for_the_socket(journal, outbox, begin):
    replay = begin(8)
    journal.pump.queue.pop().step()
    assert (outbox.got, replay.state) == ([9, 10, 11], State.SENDING)
    assert journal.pump.queue == []
    replay.drained()
    assert journal.pump.queue == [replay]
    replay.drained()
    assert journal.pump.queue == [replay]


def test_the_next_step_waits_for_the_store(journal, outbox, begin):
    replay = begin(0)
    journal.pump.queue.pop().step()
    assert replay.state is State.READING
    replay.drained()
    assert journal.pump.queue == []
    journal.answer()
    assert (outbox.got, journal.pump.queue) == ([], [replay])


def test_what_nobody_wants_needs_no_socket(journal, outbox, begin):
    outbox.muted = True
    replay = begin(8)
    while journal.pump.queue:
        journal.pump.queue.pop().step()
    assert (outbox.live, replay.state) == (True, State.OVER)


def test_events_that_come_meanwhile_are_replayed_too(journal, outbox, begin):
    replay = begin(8)
    number = 20
    while not outbox.live and number < 40:
        if journal.pump.queue:
            journal.pump.queue.pop().step()
            number += 1
            if not outbox.live:
                journal.tail.append(packed(entry(number)))
        replay.drained()
    assert outbox.got == list(range(9, journal.tail.last + 1))
    assert outbox.live


def test_a_gap_is_told_once_before_what_follows_it(journal, outbox, gaps, begin):
    journal.stored = entries(*range(5, 13))
    journal.missing = 4
    run(journal, begin(2))
    assert gaps == ["2..4"]
    assert outbox.got == list(range(5, 21))


def test_a_gap_that_opens_on_the_way_is_told(journal, outbox, gaps, begin):
    replay = begin(0)
    journal.pump.queue.pop().step()
    journal.stored = entries(*range(6, 13))
    journal.missing = 5
    run(journal, replay)
    assert gaps == ["0..5"]
    assert outbox.got == list(range(6, 21))


def test_a_store_that_cannot_be_read_is_a_gap(journal, outbox, gaps, begin):
    replay = begin(3)
    journal.pump.queue.pop().step()
    journal.answer(fail=True)
    run(journal, replay)
    assert gaps == ["3..8"]
    assert outbox.got == list(range(9, 21))


def test_an_empty_store_before_the_first_event_of_this_run_is_none(journal, outbox, gaps, begin):
    journal.stored = entries(1, 2)
    run(journal, begin(2))
    assert gaps == []
    assert outbox.got == list(range(9, 21))


def test_who_is_cancelled_does_nothing_more(journal, outbox, begin):
    replay = begin(0)
    journal.pump.queue[0].step()
    replay.cancel()
    journal.answer()
    replay.drained()
    assert replay.step() == 0
    assert (outbox.got, outbox.live, len(journal.pump.queue)) == ([], False, 1)


def test_two_share_what_is_read(journal, gaps):
    replays = [Replay(journal, Outbox(), since, gaps.append, pytest.fail) for since in (0, 1)]
    for replay in replays:
        journal.pump.ready(replay)
    while journal.pump.queue:
        journal.pump.queue.pop(0).step()
    assert len(journal.reads) == 1
    journal.answer()
    assert [replay.state for replay in replays] == [State.READY, State.READY]


def test_records_of_a_page_are_made_once(journal):
    seen = []
    for _ in range(2):
        outbox = SimpleNamespace(replay=lambda records: seen.extend(records) or 1)
        Replay(journal, outbox, 8, print, pytest.fail).step()
    assert seen[0] is seen[3]


def test_one_that_failed_is_over_and_its_owner_told(journal, outbox, gaps):
    told = []
    replay = Replay(journal, outbox, 8, gaps.append, lambda: told.append(replay.state))
    error = ValueError("no")
    replay.fail(error)
    assert told == [State.OVER]
    assert journal.failures == [error]
    assert replay.step() == 0
    assert not outbox.live
