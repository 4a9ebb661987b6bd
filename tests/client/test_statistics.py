from types import SimpleNamespace

from fastrouter.client.statistics import Statistics


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


def test_events_without_a_sequence_do_not_count():
    assert follow(("A", 0, False), ("A", 7, False), ("A", 0, False)).gaps == 0


def test_reconnects_are_sessions_after_the_first():
    assert [Statistics(sessions=n).reconnects for n in range(4)] == [0, 0, 1, 2]
