"""The pump: everybody's turn comes, and the loop's in between."""

import asyncio

from fastrouter.journal import pump as module
from fastrouter.journal.pump import LARGEST_STEP, LEAST_STEP, TURN_BYTES, Pump


class Steps:
    """A replay that goes on a number of times."""

    def __init__(self, pump, name, count, log, size=1 << 10):
        self.pump, self.name, self.left, self.log, self.size = pump, name, count, log, size

    def step(self):
        self.log.append(self.name)
        self.left -= 1
        if self.left:
            self.pump.ready(self)
        return self.size


async def test_they_take_turns():
    pump, log = Pump(), []
    for name in "abc":
        pump.add(Steps(pump, name, 3, log))
    await asyncio.sleep(0)
    assert "".join(log) == "abcabcabc"


async def test_the_loop_has_its_turn_after_so_many_bytes():
    pump, log = Pump(), []
    for name in "abc":
        pump.add(Steps(pump, name, 2, log, size=TURN_BYTES // 2))
    turns = []
    while len(log) < 6:
        await asyncio.sleep(0)
        turns.append("".join(log))
    assert turns == ["ab", "abca", "abcabc"]


def test_many_at_once_share():
    pump = Pump()
    assert pump.step_bytes == LARGEST_STEP
    pump.replays.update(object() for _ in range(1000))
    assert pump.step_bytes == module.ALL_STEPS // 1000
    pump.replays.update(object() for _ in range(9000))
    assert pump.step_bytes == LEAST_STEP


async def test_one_that_raises_does_not_stop_the_others():
    class Broken(Steps):
        def step(self):
            raise ValueError(self.name)

        def fail(self, error):
            self.log.append(str(error))

    pump, log = Pump(), []
    for name, kind in (("a", Steps), ("!", Broken), ("b", Steps)):
        pump.add(kind(pump, name, 2, log))
    await asyncio.sleep(0)
    assert "".join(log) == "a!bab"
