from fastrouter.feeds.ration import Ration


def test_the_first_and_then_one_in_a_while():
    now = 100.0
    ration = Ration(10.0, lambda: now)
    assert ration.ask() == 0
    assert [ration.ask() for _ in range(3)] == [None] * 3
    now += 9.9
    assert ration.ask() is None
    now += 0.1
    assert ration.ask() == 4
    assert ration.ask() is None
    now += 1000
    assert [ration.ask(), ration.ask()] == [1, None]
