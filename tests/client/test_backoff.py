import pytest

from fastrouter.client.backoff import Backoff


def test_the_ceiling_doubles_up_to_the_last():
    backoff = Backoff(1.0, 30.0, lambda: 1.0)
    assert [backoff.delay() for _ in range(7)] == [2, 4, 8, 16, 30, 30, 30]


def test_jitter_lies_between_the_first_and_the_ceiling():
    chances = iter([0.0, 0.5, 0.25])
    backoff = Backoff(1.0, 30.0, lambda: next(chances))
    assert [backoff.delay() for _ in range(3)] == [1.0, 2.5, 2.75]


def test_reset_starts_over():
    backoff = Backoff(1.0, 30.0, lambda: 1.0)
    backoff.delay()
    backoff.delay()
    backoff.reset()
    assert backoff.delay() == 2.0


def test_the_server_may_ask_for_a_time():
    backoff = Backoff(1.0, 30.0, lambda: 1.0)
    assert [backoff.delay(asked) for asked in (0.25, 2.5, 3600.0, None)] == [0.25, 2.5, 30.0, 2.0]


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (2.0, 1.0), (-1.0, 1.0)])
def test_bounds_that_make_no_sense(bounds: tuple[float, float]):
    with pytest.raises(ValueError, match="0 < first <= last"):
        Backoff(*bounds, lambda: 1.0)


def test_a_server_that_asks_for_no_time_is_not_asked_without_end():
    backoff = Backoff(1, 30, lambda: 1.0)
    assert [backoff.delay(0.0) for _ in range(3)] == [2, 4, 8]
