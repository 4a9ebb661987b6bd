"""The allowance with a clock and a transport of our own, then on real ones."""

from __future__ import annotations

import pytest

from fastrouter.net import protocol
from fastrouter.net.certificate import Certificate
from fastrouter.net.pace import ALLOWANCE, Allowance, Pace
from tests.certificates import certify

from .wire import Wire, frame, turns, until

RULE = Allowance(size=100, stretch=2.0)


class Timer:
    def __init__(self, loop: Loop, at: float, action) -> None:
        self.loop, self.at, self.action = loop, at, action

    def cancel(self) -> None:
        if self in self.loop.timers:
            self.loop.timers.remove(self)


class Loop:
    def __init__(self) -> None:
        self.now = 10.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, action) -> Timer:
        self.timers.append(Timer(self, self.now + seconds, action))
        return self.timers[-1]

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for timer in [timer for timer in self.timers if timer.at <= self.now]:
            self.timers.remove(timer)
            timer.action()


class Transport:
    """Complains, as uvloop's does, when it is closing."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        assert not self.closing
        self.said.append("pause")

    def resume_reading(self) -> None:
        assert not self.closing
        self.said.append("resume")


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def pace(transport, loop) -> Pace:
    return Pace(transport, loop, RULE)


def test_within_the_allowance_nothing_happens(pace, loop, transport):
    for _ in range(50):
        pace.take(99)
        loop.wait(2.0)
    assert not transport.said
    assert not loop.timers


def test_who_spends_it_waits_for_a_stretch(pace, loop, transport):
    pace.take(60)
    pace.take(40)
    assert transport.said == ["pause"]
    loop.wait(1.9)
    assert transport.said == ["pause"]
    loop.wait(0.1)
    assert transport.said == ["pause", "resume"]
    pace.take(99)
    assert transport.said == ["pause", "resume"]


def test_what_arrives_while_paused_pauses_once(pace, loop, transport):
    """TLS hands on what it holds already."""
    for _ in range(5):
        pace.take(100)
    loop.wait(2.0)
    assert transport.said == ["pause", "resume"]


def test_a_flood_is_read_once_a_stretch(pace, loop, transport):
    for _ in range(10):
        pace.take(100)
        loop.wait(2.0)
    assert transport.said == 10 * ["pause", "resume"]


def test_a_closing_transport_is_left_alone(pace, loop, transport):
    pace.take(100)
    transport.closing = True
    loop.wait(2.0)
    pace.take(100)
    assert transport.said == ["pause"]
    assert not loop.timers


def test_a_lost_one_is_not_resumed(pace, loop, transport):
    pace.take(100)
    pace.stop()
    loop.wait(2.0)
    assert transport.said == ["pause"]
    pace.stop()


# ------------------------------------------------------------------------ on the wire


@pytest.fixture
def paces(monkeypatch) -> list[Pace]:
    """Every pace of the server, the newest last; their pauses last until the test says so."""
    made: list[Pace] = []

    class Patient(Pace):
        def __init__(self, transport, loop) -> None:
            super().__init__(transport, loop, ALLOWANCE._replace(stretch=3600.0))
            made.append(self)

    monkeypatch.setattr(protocol, "Pace", Patient)
    return made


def resume(pace: Pace) -> None:
    pace.stop()
    pace._resume()


def paused(pace: Pace) -> bool:
    return pace._resuming is not None


@pytest.fixture(params=["plain", "tls"])
def tls(request, tmp_path):
    """What a server and a client of it need: nothing, or a certificate."""
    if request.param == "plain":
        return {}, None
    files = certify(tmp_path)
    return {"ssl_context": Certificate(files.cert, files.key).context}, files.trusted()


FLOODS = {
    "messages": [frame(b"x" * 60_000)] * 40,
    "pings": [frame(b"x" * 125, 9) * 500] * 40,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_flood_waits_and_nobody_waits_for_it(serve, open_session, paces, tls, flood):
    options, trusted = tls
    server = await serve(messages_per_minute=0, **options)
    wire = await open_session(server, tls=trusted)
    for piece in flood:
        wire.send(piece)
    await until(lambda: paused(paces[0]))
    other = await open_session(server, tls=trusted)
    other.send(frame(b"hi", 9))
    assert await other.frame() == (10, b"hi")
    assert paused(paces[0])
    assert server.rejected < 10
    wire.writer.transport.abort()
    resume(paces[0])  # it is noticed at the latest then
    while server.sessions > 1:
        if paused(paces[0]):
            resume(paces[0])
        await turns()


async def test_it_is_read_on_where_it_was(serve, open_session, paces, tls):
    options, trusted = tls
    server = await serve(messages_per_minute=0, **options)
    wire = await open_session(server, tls=trusted)
    for piece in FLOODS["messages"]:
        wire.send(piece)
    while server.rejected < 40:
        await until(lambda: paused(paces[0]) or server.rejected == 40)
        if paused(paces[0]):
            resume(paces[0])
    for _ in range(40):
        assert (await wire.message())["code"] == "INVALID_MESSAGE"


async def test_a_paused_session_is_cut_at_its_heartbeat(serve, paces, tls):
    options, trusted = tls
    server = await serve(messages_per_minute=0, heartbeat=0.1, **options)
    wire = await Wire.session(server.port, tls=trusted)
    for piece in FLOODS["messages"]:
        wire.send(piece)
    await until(lambda: server.closes)
    assert server.closes == {4408: 1}
    assert server.rejected < 10
    wire.writer.transport.abort()
    await wire.bye()
