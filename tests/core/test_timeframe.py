import pytest

from fastrouter.core.timeframe import TIMEFRAMES, parse_timeframe


@pytest.mark.parametrize(("name", "seconds"), [("1s", 1), ("1m", 60), ("4h", 14400), ("1d", 86400)])
def test_a_name_gives_its_nanoseconds(name, seconds):
    assert parse_timeframe(name) == seconds * 10**9


def test_every_timeframe_divides_the_day():
    assert all(86400 * 10**9 % length == 0 for length in TIMEFRAMES.values())


@pytest.mark.parametrize("name", ["", "1M", "2m", "1m ", None])
def test_an_unknown_name_is_told_the_allowed_ones(name):
    with pytest.raises(ValueError, match="allowed: 1s, 5s"):
        parse_timeframe(name)
