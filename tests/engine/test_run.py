"""Batches, acknowledgements, the barrier, laggards, and clients that come back."""

from __future__ import annotations

from random import Random

import orjson
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.sink import MemorySink
from fastrouter.engine.merge import stretches
from fastrouter.engine.news import Completed, Evicted, Failed
from fastrouter.engine.track import Block
from fastrouter.errors import MessageError

from .peer import DIALECT, SECOND, START, Client, candles, new_run, quotes

CANDLES = [("*", f"candle@{timeframe}") for timeframe in ("1s", "1m", "1h")]
THREE = quotes((0, "S:A"), (0, "S:B"), (1, "S:A"), (2, "S:A"), (2, "S:B"), (2, "S:C"))


def completed(run) -> bool:
    return any(isinstance(news, Completed) for news in run.news)


# ------------------------------------------------------------------- lock-step


def test_an_instant_is_a_batch_and_the_next_waits_for_all_of_it():
    run = new_run(THREE)
    client = Client(run)
    assert client.ids() == [1, 2]
    client.ack(1)
    assert client.ids() == []
    client.ack(2)
    assert client.ids() == [3]
    client.ack(3)
    assert client.ids() == [4, 5, 6]
    assert not completed(run)
    client.ack(6, 4)
    assert not completed(run)
    client.ack(5)
    assert completed(run)


def test_a_message_has_the_simulated_time():
    run = new_run(THREE)
    client = Client(run)
    first = client.read()[0]
    assert first["timestamp"] == "2025-01-01T00:00:00.000000Z"
    assert run.clock.time_ns() == START
    client.ack(1, 2)
    assert run.clock.time_ns() == START + SECOND


def test_no_ack_no_advance_for_as_long_as_it_takes():
    wall = Clock(1)
    run = new_run(THREE, wall=wall)
    client = Client(run)
    for day in range(1, 10):
        wall.set(day * 86_400 * SECOND)
        run.tick()
        run.turn()
    assert client.ids() == [1, 2]
    assert run.clock.time_ns() == START
    assert run.news == []


@pytest.mark.parametrize(
    "numbers",
    [(), (1,), (1, 1), (1, 1, 1, 3, 4), (99, 0, -1, 1 << 70), (3,), (2,), (2, 2, 1 << 63)],
)
def test_an_ack_that_leaves_something_moves_nothing(numbers):
    run = new_run(THREE)
    client = Client(run)
    assert client.ids() == [1, 2]
    client.ack(*numbers)
    client.ack(*numbers)
    assert client.ids() == []
    assert run.unfinished == 1


def test_acks_are_counted_by_what_they_were():
    run = new_run(THREE)
    client = Client(run)
    client.ack(0)  # HELLO's "unknown"
    client.ack(1, 1, 7)
    client.ack(2)
    client.ack(1, 3)
    member = client.member
    assert (member.acks, member.acknowledged, member.repeated, member.unknown) == (4, 3, 2, 2)


def test_what_is_acknowledged_before_it_comes_is_not():
    run = new_run(THREE)
    client = Client(run)
    client.ack(3, 4, 5, 6)
    client.ack(1, 2)
    assert client.ids() == [1, 2, 3]


def test_an_instant_that_nobody_is_offered_passes():
    run = new_run(THREE)
    client = Client(run, [("S:C", "quote")])
    assert client.ids() == [6]
    client.ack(6)
    assert completed(run)
    assert run.totals().instants == 3
    assert run.totals().events == 6


def test_who_wants_nothing_has_it_all_behind_at_once():
    run = new_run(THREE)
    Client(run, [])
    assert completed(run)


def test_an_empty_data_set_is_complete():
    run = new_run(quotes())
    Client(run)
    assert completed(run)
    assert run.totals()._replace(wall_seconds=0) == (0, 0, 0, 0, 0, 0, {})


def test_the_totals():
    wall = Clock(5 * SECOND)
    run = new_run(THREE, candles((1, "S:A")), wall=wall)
    run.bad_rows = 3
    client = Client(run)
    wall.set(7 * SECOND)
    client.play()
    (news,) = run.news
    totals = news.totals
    assert totals == (7, 3, START, START + 2 * SECOND, 2.0, 3, {"quote": 6, "candle": 1})
    assert totals.fields(lambda time: time)["last"] == START + 2 * SECOND


def test_the_totals_of_a_run_under_way_end_where_it_is():
    """A candle ends before the next row, which nobody knows of yet."""
    run = new_run(quotes((0, "S:A"), (10, "S:A")), candles=("1s",))
    client = Client(run, [*CANDLES, ("*", "quote")])
    client.ack(*client.ids())
    assert [message["type"] for message in client.read()] == ["candle"]
    assert run.totals().last == run.clock.time_ns() == START + SECOND


@pytest.mark.parametrize("way", ["completed", "failed", "released"])
def test_the_totals_of_a_run_that_is_over_do_not_change(way):
    wall = Clock(5 * SECOND)
    run = new_run(THREE, wall=wall)
    client = Client(run)
    wall.set(7 * SECOND)
    {"completed": client.play, "failed": lambda: run.fail("so"), "released": run.release}[way]()
    wall.set(60 * SECOND)
    assert run.totals().wall_seconds == 2.0
    run.release()
    assert run.totals().wall_seconds == 2.0


# ---------------------------------------------------------------------- window


def test_a_window_is_of_batches_not_all_acknowledged():
    run = new_run(quotes(*((second, "S:A") for second in range(10))), window=3)
    client = Client(run)
    assert client.ids() == [1, 2, 3]
    client.ack(2)  # out of order
    assert client.ids() == [4]
    client.ack(4)
    assert client.ids() == [5]
    client.ack(1, 3)
    assert client.ids() == [6, 7]
    client.ack(5, 6, 7)
    client.play()
    assert completed(run)


def test_a_window_wider_than_the_history():
    run = new_run(THREE, window=64)
    client = Client(run)
    assert client.ids() == [1, 2, 3, 4, 5, 6]
    client.ack(6, 5, 4, 3, 2)
    assert not completed(run)
    client.ack(1)
    assert completed(run)


# --------------------------------------------------------------- subscriptions


def test_only_what_a_member_was_offered_counts():
    run = new_run(THREE, clients=2)
    a = Client(run, [("S:A", "quote")])
    assert a.ids() == []
    b = Client(run, [("S:B", "quote")])
    assert (a.ids(), b.ids()) == ([1], [2])
    b.ack(2)
    assert a.ids() == []
    a.ack(1)
    assert (a.ids(), b.ids()) == ([3], [])
    a.ack(3)
    assert (a.ids(), b.ids()) == ([4], [5])


def test_who_subscribes_later_owes_from_then_on_and_a_snapshot_never():
    run = new_run(THREE)
    client = Client(run, [("S:A", "quote")])
    assert client.ids() == [1]
    client.outbox.subscribe([("S:B", "quote")])
    run.turn()
    (snapshot,) = client.read()
    assert (snapshot["id"], snapshot["snapshot"]) == ("evt_2", True)
    client.ack(2)
    assert run.unfinished == 1
    client.ack(1)
    assert client.ids() == [3]
    client.ack(3)
    assert client.ids() == [4, 5]


def test_who_unsubscribes_owes_what_it_was_offered():
    run = new_run(THREE)
    client = Client(run)
    assert client.ids() == [1, 2]
    client.outbox.unsubscribe([("*", "quote")])
    client.ack(1)
    assert not completed(run)
    client.ack(2)
    assert completed(run)


def test_an_order_belongs_to_the_instant_it_is_published_in():
    run = new_run(THREE)
    client = Client(run, [("*", "quote"), ("*", "order")])
    assert client.ids() == [1, 2]
    run.router.publish("order", {"id": "o1", "symbol": "S:A"})
    run.turn()
    (order,) = client.read()
    assert (order["id"], order["timestamp"]) == ("evt_3", "2025-01-01T00:00:00.000000Z")
    client.ack(1, 2)
    assert client.ids() == []
    client.ack(3)
    assert client.ids() == [4]


# ----------------------------------------------------------------------- fleet


def test_a_fleet_begins_when_all_are_there_and_moves_together():
    run = new_run(THREE, clients=3)
    fleet = [Client(run), Client(run)]
    assert [client.ids() for client in fleet] == [[], []]
    fleet.append(Client(run))
    assert [client.ids() for client in fleet] == [[1, 2]] * 3
    fleet[2].ack(1, 2)
    fleet[0].ack(1, 2)
    assert [client.ids() for client in fleet] == [[]] * 3
    fleet[1].ack(1, 2)
    assert [client.ids() for client in fleet] == [[3]] * 3
    with pytest.raises(MessageError, match="has its 3 clients") as caught:
        Client(run)
    assert caught.value.code == "RUN_FULL"


def test_a_laggard_is_evicted_after_its_time_and_the_host_is_told():
    wall = Clock(SECOND)
    run = new_run(THREE, clients=2, evict=5 * SECOND, wall=wall)
    told: list[int] = []
    run.on_news = lambda: told.append(len(run.news))
    quick, slow = Client(run), Client(run)
    quick.ack(*quick.ids())
    wall.set(6 * SECOND - 1)
    run.tick()
    assert run.news == []
    wall.set(6 * SECOND)
    run.tick()
    assert run.news == [Evicted(slow.member, "lagging")]
    assert told == [1]
    assert quick.ids() == [3]
    slow.ack(1, 2, 3)
    assert quick.ids() == []
    quick.ack(3)
    quick.play()
    assert completed(run)


def test_progress_begins_the_time_anew():
    wall = Clock(SECOND)
    run = new_run(THREE, clients=2, evict=5 * SECOND, wall=wall)
    fleet = [Client(run), Client(run)]
    for second in (5, 9):
        wall.set(second * SECOND)
        run.tick()
        for client in fleet:
            client.ack(*client.ids())
    assert run.news == []
    assert fleet[0].ids() == [4, 5, 6]


def test_who_is_away_is_waited_for_but_not_for_ever():
    wall = Clock(SECOND)
    run = new_run(THREE, clients=2, patience=60 * SECOND, wall=wall)
    stays, goes = Client(run), Client(run)
    goes.lose()
    stays.ack(*stays.ids())
    wall.set(60 * SECOND)
    run.tick()
    assert stays.ids() == []
    wall.set(61 * SECOND)
    run.tick()
    assert run.news == [Evicted(goes.member, "away")]
    assert stays.ids() == [3]


def test_when_all_are_gone_it_is_over():
    wall = Clock(SECOND)
    run = new_run(THREE, wall=wall, patience=60 * SECOND)
    client = Client(run)
    client.lose()
    assert not run.over
    wall.set(61 * SECOND)
    run.tick()
    assert run.over
    assert not completed(run)


# ---------------------------------------------------------------------- resume


def test_who_comes_back_goes_on_at_the_batch_it_owes_with_the_same_bytes():
    run = new_run(THREE)
    client = Client(run)
    client.ack(*client.ids())
    client.ack(*client.ids())
    assert client.ids() == [4, 5, 6]
    seen = client.frames[-3:]
    client.ack(5)
    client.lose()
    client.come_back()
    assert client.ids() == [4, 5, 6]
    assert client.frames[-3:] == seen
    client.ack(4)
    assert not completed(run)
    client.ack(6)
    assert completed(run)


def test_nothing_moves_while_a_member_is_away():
    run = new_run(THREE, clients=2)
    stays, goes = Client(run), Client(run)
    goes.ack(*goes.ids())
    goes.lose()
    stays.ack(*stays.ids())
    run.turn()
    assert stays.ids() == []
    goes.come_back()
    assert stays.ids() == [3]
    assert goes.ids() == [3]


def test_a_window_comes_again_from_the_first_batch_that_is_owed():
    run = new_run(quotes(*((second, "S:A") for second in range(9))), window=4)
    client = Client(run)
    assert client.ids() == [1, 2, 3, 4]
    client.ack(1, 3)
    assert client.ids() == [5, 6]
    client.lose()
    client.come_back()
    assert client.ids() == [2, 3, 4, 5, 6]
    client.ack(2, 4)
    assert client.ids() == [7, 8]


def test_other_events_come_again_too():
    run = new_run(THREE)
    client = Client(run, [("*", "quote"), ("*", "order")])
    run.router.publish("order", {"id": "o1", "symbol": "S:A"})
    run.turn()
    client.read()
    before = list(client.frames)
    client.lose()
    client.come_back()
    client.read()
    assert client.frames[3:] == before


def test_a_member_that_is_here_cannot_come_back():
    run = new_run(THREE)
    client = Client(run)
    with pytest.raises(MessageError, match="not away"):
        client.come_back()


# -------------------------------------------------------------- what comes late


def test_it_asks_for_data_ahead_and_goes_on_when_it_has_some():
    run = new_run()
    asked: list[bool] = []
    run.tape.on_hunger = lambda: asked.append(True)
    client = Client(run)
    assert client.ids() == []
    assert run.tape.hungry
    (stretch, *_) = stretches([[Block(THREE["time"].copy(), THREE)]])
    for _ in range(8):
        assert run.tape.hungry
        run.tape.feed(stretch)
    assert (asked, run.tape.hungry) == ([], False)
    run.turn()
    assert client.ids() == [1, 2]
    assert (asked, run.tape.hungry) == ([True], True)
    run.tape.end()
    assert not run.tape.hungry


def test_who_leaves_before_it_begins_makes_room():
    run = new_run(THREE, clients=2)
    Client(run).lose()
    assert run.over
    run = new_run(THREE, clients=2)
    stays, goes = Client(run), Client(run, ready=False)
    goes.lose()
    comes = Client(run)
    assert (stays.ids(), comes.ids(), comes.member.number) == ([1, 2], [1, 2], 3)


def test_an_instant_larger_than_the_socket_takes_comes_in_portions():
    rows = quotes(*((0, f"S:{n}") for n in range(5000)), (1, "S:A"))
    run = new_run(rows)
    client = Client(run, room=100_000)
    assert run.router.last_id < 1500
    seen: list[int] = []
    while not completed(run):
        client.sink.give(100_000)
        client.outbox.resume()
        run.turn()
        ids = client.ids()
        assert client.outbox.backlog < 300_000
        seen += ids
        client.ack(*ids)
    assert seen == list(range(1, 5002))


def test_bad_data_ends_it():
    rows = quotes((0, "S:A"), (1, "S:A"))
    rows["bid"][1] = float("nan")
    run = new_run(rows)
    Client(run).play()
    (news,) = run.news
    assert isinstance(news, Failed)
    assert "quote: bid is nan" in news.reason
    assert run.over


# --------------------------------------------------------------- deterministic


def history(random: Random) -> list[tuple[int, str]]:
    second, rows = 0, []
    for _ in range(random.randrange(1, 60)):
        second += random.choice((0, 0, 1, 60))
        rows.append((second, f"S:{random.choice('ABCD')}"))
    return rows


def play(rows, random: Random, window: int, losses: bool) -> list[list[bytes]]:
    """Three clients that acknowledge, and lose their connection, at random."""
    run = new_run(quotes(*rows), candles(*rows[::3]), window=window, clients=3)
    wanted = [[("*", "quote"), ("*", "candle@1m")], [("S:A", "quote")], [("S:*", "quote")]]
    fleet = [Client(run, patterns) for patterns in wanted]
    got: list[dict[int, bytes]] = [{} for _ in fleet]
    owed: list[list[int]] = [[] for _ in fleet]
    while not run.over:
        index = random.randrange(3)
        client = fleet[index]
        for frame in client.sink.messages():
            number = int(orjson.loads(frame)["id"][4:])
            assert got[index].setdefault(number, frame) == frame
            if number not in owed[index]:
                owed[index].append(number)
        if losses and random.random() < 0.1:
            client.lose()
            client.come_back()
        elif owed[index]:
            random.shuffle(owed[index])
            count = random.randrange(1, len(owed[index]) + 1)
            acked, owed[index] = owed[index][:count], owed[index][count:]
            client.ack(*acked)
    assert completed(run)
    return [[frames[number] for number in sorted(frames)] for frames in got]


@pytest.mark.parametrize("seed", range(40))
def test_two_runs_are_the_same_bytes_whatever_the_clients_do(seed):
    random = Random(seed)
    rows = history(random)
    plain = play(rows, random, 1, losses=False)
    assert play(rows, random, 1, losses=True) == plain
    assert play(rows, random, random.randrange(2, 9), losses=True) == plain
    assert len(plain[0]) == len(rows) + len(rows[::3])


# --------------------------------------------------------------------- candles


def test_candles_of_quotes_close_at_their_end_in_an_instant_of_their_own():
    rows = quotes((10, "S:A"), (20, "S:B"), (150, "S:A"), (180, "S:A"))
    run = new_run(rows, candles=("1m",))
    client = Client(run, [("*", "candle@1m")])
    seen = []
    while not run.over:
        messages = client.read()
        seen += [
            (
                message["timestamp"][14:19],
                message["bar"]["symbol"],
                message["bar"]["timestamp"][14:19],
                message["bar"]["closed"],
            )
            for message in messages
        ]
        client.ack(*(int(message["id"][4:]) for message in messages))
    assert seen == [
        ("00:10", "S:A", "00:00", False),
        ("00:20", "S:B", "00:00", False),
        ("01:00", "S:A", "00:00", True),
        ("01:00", "S:B", "00:00", True),
        ("02:30", "S:A", "02:00", False),
        ("03:00", "S:A", "02:00", True),
        ("03:00", "S:A", "03:00", False),
    ]


def test_with_candles_two_runs_are_the_same_bytes_too():
    random = Random(3)
    rows = quotes(*history(random), *[(10_000 + n // 3, f"S:{n % 3}") for n in range(2000)])
    alone = Client(new_run(rows, candles=("1s", "1m", "1h")), [("*", "quote"), *CANDLES]).play()
    wide = Client(new_run(rows, candles=("1s", "1m", "1h"), window=7), [("*", "quote"), *CANDLES])
    assert wide.play() == alone
    assert len(alone) > len(rows) * 1.5


def test_nobody_comes_back_with_an_outbox_that_is_closed():
    run = new_run(THREE)
    client = Client(run)
    client.lose()
    outbox = run.router.attach(MemorySink(), DIALECT)
    outbox.close()
    with pytest.raises(ValueError, match="the outbox is closed"):
        run.resume(client.member, outbox)
    assert run.away == 1
    client.come_back()
    assert len(client.play()) == 6
