"""Each event of a store is published once, wherever its publisher is killed."""

from __future__ import annotations

import random

import pytest

from fastrouter.embed import Router
from fastrouter.journal.delivery import Delivery
from fastrouter.journal.journal import Journal
from fastrouter.journal.spool import Spool

STORE = b"0123456789abcdef"


class Killed(Exception):
    pass


class World:
    """A store's events and a router's ids; it is killed after some number of steps."""

    def __init__(self, path) -> None:
        self.path = path
        self.last_id = 0
        self.published: dict[int, int] = {}  # the router's id -> the store's number
        self.steps = 0

    def step(self) -> None:
        self.steps -= 1
        if not self.steps:
            raise Killed

    def run(self, first: int, last: int, steps: int, noise: random.Random) -> None:
        """A run of the server: announce what is not yet, up to the event `last`."""
        self.steps = steps
        self.last_id += 100  # ids of a new run begin behind the old ones
        spool = Spool(self.path, 1 << 16)
        try:
            delivery = Delivery(STORE, spool, self.published.__contains__)
            self.step()
            delivery.skip_to(first - 1)
            self.step()
            for number in range(delivery.done + 1, last + 1):
                self.last_id += noise.randrange(2)  # events of others
                delivery.begin(number, self.last_id)
                self.step()
                self.last_id += 1
                self.published[self.last_id] = number
                self.step()
                delivery.end(number)
                self.step()
        finally:
            spool.close()


@pytest.mark.parametrize("seed", range(40))
def test_killed_anywhere_each_is_published_once(tmp_path, seed):
    rng = random.Random(seed)
    world = World(tmp_path / "spool")
    first, last = 1, 0
    for _ in range(60):
        last += rng.randrange(4)
        try:
            world.run(first, last, rng.randrange(1, 20), rng)
        except Killed:
            if rng.random() < 0.3:  # the store has let go of what is known to be published
                first = max(first, max(world.published.values(), default=0))
    last += 1
    world.run(first, last, 1_000_000, rng)
    assert list(world.published.values()) == list(range(1, last + 1))


def test_what_the_store_let_go_of_is_published(tmp_path):
    """Its journal is new: numbers do not begin at 1."""
    for parity in (0, 1):
        world = World(tmp_path / f"spool{parity}")
        world.published[1] = 0  # an id that is there, and nobody's
        for steps in (2, 3, 4, 5, 6, 100):
            try:
                world.run(50 + parity, 53, steps, random.Random(1))
            except Killed:
                continue
        assert list(world.published.values()) == [0, *range(50 + parity, 54)]


def test_without_a_spool_it_is_of_this_run():
    delivery = Delivery(STORE, None, lambda number: True)
    delivery.begin(1, 0)
    delivery.end(1)
    assert delivery.done == 1
    delivery.skip_to(7)
    delivery.skip_to(3)
    assert delivery.done == 7


def test_another_store_begins_anew(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        journal.delivery(STORE).end(3)
        assert journal.delivery(STORE).done == 3
        assert journal.delivery(bytes(16)).done == 0
        assert journal.delivery(STORE).done == 0


def test_a_journal_knows_what_it_had_before(tmp_path):
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        router = Router(journal=journal)
        router.publish("signal", {"id": "1", "symbol": "S:A", "action": "BUY"})
        router.publish("signal", {"id": "2", "symbol": "S:A", "action": "BUY"})
        last = router.last_id
    with Journal(path) as journal:
        assert journal.has(last - 1)
        assert journal.has(last)
        assert not journal.has(last + 1)


def test_without_a_file_a_journal_knows_nothing_from_before():
    assert not Journal().has(1)


def test_an_event_under_way_is_found_in_the_journal(tmp_path):
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        router = Router(journal=journal)
        delivery = journal.delivery(STORE)
        delivery.begin(1, router.last_id)
        router.publish("signal", {"id": "1", "symbol": "S:A", "action": "BUY"})
    with Journal(path) as journal:
        assert journal.delivery(STORE).done == 1
