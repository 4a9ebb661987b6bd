from types import SimpleNamespace

from fastrouter.client.statistics import Statistics
from fastrouter.core.event import Candle, Quote


def follow(*sequence: tuple[str, int, bool]) -> Statistics:
    statistics = Statistics()
    for symbol, seq, snapshot in sequence:
        event = SimpleNamespace(symbol=symbol, timeframe="1m", seq=seq, snapshot=snapshot)
        statistics.follow(event)  # type: ignore[arg-type]
    return statistics


def test_no_gap():
    statistics = follow(("A", 5, False), ("B", 1, False), ("A", 6, False), ("B", 2, False))
    assert (statistics.gaps, statistics.missed) == (0, 0)


def test_a_jump_is_one_gap_and_what_it_skips_is_missed():
    statistics = follow(("A", 5, False), ("A", 9, False), ("A", 11, False))
    assert (statistics.gaps, statistics.missed) == (2, 4)


def test_a_snapshot_starts_anew():
    statistics = follow(("A", 5, False), ("A", 90, True), ("A", 91, False))
    assert statistics.gaps == 0


def test_a_restarted_server_is_no_gap():
    assert follow(("A", 900, False), ("A", 1, False), ("A", 2, False)).gaps == 0


def candles(statistics: Statistics, *sequence: tuple[int, bool, bool]) -> Statistics:
    for seq, closed, snapshot in sequence:
        statistics.follow(
            Candle("A", open=1, high=1, low=1, close=1, seq=seq, closed=closed, snapshot=snapshot)
        )
    return statistics


def test_a_session_starts_anew():
    """… whether the server counted on, restarted, or is far ahead."""
    statistics = follow(("A", 5, False))
    statistics.open(resumed=True)
    statistics.follow(Quote("A", bid=1, ask=1, seq=5_000_000))
    statistics.open(resumed=False)
    statistics.follow(Quote("A", bid=1, ask=1, seq=9_000_000))
    assert (statistics.gaps, statistics.missed, statistics.sessions) == (0, 0, 2)
    statistics.follow(Quote("A", bid=1, ask=1, seq=9_000_002))
    assert (statistics.gaps, statistics.missed) == (1, 1)


def test_replayed_candles_have_no_holes():
    """Between them forming ones were counted, which nobody replays."""
    statistics = Statistics()
    statistics.open(resumed=True)
    candles(statistics, (61, True, False), (122, True, False), (190, False, True))
    assert statistics.gaps == 0
    candles(statistics, (191, False, False), (195, True, False))
    assert (statistics.gaps, statistics.missed) == (1, 3)


def test_candles_of_a_session_that_did_not_resume():
    statistics = Statistics()
    statistics.open(resumed=False)
    candles(statistics, (61, True, False), (63, True, False))
    assert (statistics.gaps, statistics.missed) == (1, 1)


def test_events_without_a_sequence_do_not_count():
    assert follow(("A", 0, False), ("A", 7, False), ("A", 0, False)).gaps == 0


def test_reconnects_are_sessions_after_the_first():
    assert [Statistics(sessions=n).reconnects for n in range(4)] == [0, 0, 1, 2]
