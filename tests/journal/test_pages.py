"""Pages against a store that answers when the test says so."""

import pytest

from fastrouter.journal import pages as module
from fastrouter.journal.pages import Page, Pages

from .events import entries, ids

STORED = (3, 5, 9, 11, 20, 21)


class Library:
    """A store with two events a page; `answer()` ends the read that is under way."""

    def __init__(self):
        self.asked = []
        self.done = None
        self.pages = Pages(self.read, lambda: 30)

    def read(self, after, done):
        assert self.done is None
        self.asked.append(after)
        self.done = done

    def answer(self, *, fail=False):
        done, self.done = self.done, None
        done(None if fail else entries(*[n for n in STORED if n > self.asked[-1]][:2]))


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def got():
    return []


def test_a_page_holds_what_follows_any_position_in_it():
    page = Page(3, 9, entries(5, 9))
    assert [page.holds(n) for n in (2, 3, 4, 5, 8, 9)] == [False, True, True, True, True, False]


def test_parts_of_a_page():
    page = Page(0, 12, entries(3, 5, 9, 11))

    def part(position, size):
        records, last, looked_at = page.part(position, size)
        return [record.id for record in records], last, looked_at

    assert part(0, 1 << 20) == ([3, 5, 9, 11], 12, 80)
    assert part(0, 1) == ([3], 3, 20)
    assert part(4, 21) == ([5, 9], 9, 40)
    assert part(9, 1) == ([11], 12, 20)


def test_who_waits_is_called_with_the_page(library, got):
    library.pages.fetch(4, got.append)
    assert (library.asked, got) == ([4], [])
    library.answer()
    assert ids(got[0].records) == [5, 9]
    assert library.pages.get(4) is library.pages.get(8) is got[0]
    assert library.pages.get(9) is library.pages.get(3) is None


def test_one_read_serves_all_that_it_reaches(library, got):
    for position in (3, 4, 5, 3, 2, 11):
        library.pages.fetch(position, got.append)
    library.answer()
    assert len(got) == 4
    library.answer()
    assert (ids(got[4].records), library.asked) == ([3, 5], [3, 2, 11])
    library.answer()
    assert (len(got), library.asked, library.done) == (6, [3, 2, 11], None)


def test_the_end_of_the_store(library, got):
    library.pages.fetch(21, got.append)
    library.answer()
    assert (got[0].records, got[0].last) == ([], 30)
    assert library.pages.get(21) is None


def test_a_store_that_fails_is_asked_again_for_the_next(library, got):
    library.pages.fetch(21, got.append)
    library.pages.fetch(3, got.append)
    library.answer(fail=True)
    library.answer()
    assert got[0] is None
    assert ids(got[1].records) == [5, 9]


def test_who_is_called_may_ask_for_more(library, got):
    library.pages.fetch(3, lambda page: library.pages.fetch(page.last, got.append))
    library.answer()
    library.answer()
    assert ids(got[0].records) == [11, 20]


def test_the_page_used_longest_ago_goes(library, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 2)
    for after in (0, 10):
        library.pages.put(Page(after, after + 10, entries(after + 5, after + 10)))
    library.pages.get(0)
    library.pages.put(Page(20, 30, entries(25, 30)))
    assert library.pages.get(10) is None
    assert library.pages.get(0)
    assert library.pages.get(20)


def test_a_longer_page_takes_the_place_of_one_that_began_there(library):
    library.pages.put(Page(0, 3, entries(3)))
    longer = library.pages.put(Page(0, 5, entries(3, 5)))
    assert library.pages.get(1) is library.pages.get(4) is longer
