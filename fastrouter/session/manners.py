"""How sessions of each dialect are talked to: a row of a table each.

::

    row            heartbeat      silence       what no handler knows     what is not JSON
    -------------  -------------  ------------  ------------------------  ----------------
    trading-api    ``ping``       2 intervals   ``error``                 ``error``
    orchestrator   ping frame     2 intervals   ``error``                 ``error``
    dgbit          ping frame     2 intervals   ``ping`` with `received`  a log line
    dgbit-job      ping frame     2 intervals   ``ack``                   a log line
    botcore        ping frame     90 s or more  ``Error``                 ``Error``
    botcore-ai     ping frame     90 s or more  ``Error``                 ``Error``
    alpaca         ping frame     2 intervals   ``error``                 ``error``
    backtest       ``ping``       2 intervals   ``error``                 ``error``

ORCH and DGBIT name no heartbeat message, so their clients answer none: a ping
frame is answered by the WebSocket library. CORE's clients send ``Ping``, or nothing.

Each understands `COMMON`, the messages that the wire contract defines for every
endpoint; botcore ``Ping`` too, trading-api and orchestrator the commands of
`fastrouter.session.commands`, and alpaca what `fastrouter.session.alpaca` has. A
dialect of a third party has the first row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fastrouter.core.kinds import KINDS, MARKET_KINDS
from fastrouter.core.leaves import symbol_valid
from fastrouter.errors import MessageError, SubscriptionError
from fastrouter.session import (
    alpaca,
    authenticate,
    beats,
    commands,
    handlers,
    lockstep,
    replies,
    welcome,
)
from fastrouter.session.messages import kind_of
from fastrouter.session.state import State
from fastrouter.session.subscriptions import DEFAULT, Subscription, parse

if TYPE_CHECKING:
    from fastrouter.session.effects import Effect
    from fastrouter.session.handlers import Handler
    from fastrouter.session.session import Session

__all__ = ["MANNERS", "Manners", "manners"]

SECOND = 1_000_000_000  # ns

Handlers = Mapping[State, Mapping[str, "Handler"]]


class Manners(NamedTuple):
    """One way to talk."""

    handlers: Handlers
    beat: Callable[[Session], None] = beats.by_message
    silence: int = 0  # ns that a client may be silent at least; never less than two intervals
    unknown: Callable[[Session, Any, bytes], Effect] = replies.refuse  # JSON, and its text
    malformed: Callable[[Session, MessageError], Effect] = replies.reject
    welcome: Callable[[Session], dict[str, Any]] = welcome.plain
    kind_of: Callable[[Any], str | None] = kind_of  # which handler a message is for
    subscriptions: str = DEFAULT  # of who names none; ``{}`` is what the path's variable stands for

    def default(self, timeframe: str, variable: str | None) -> tuple[Subscription, ...]:
        """What a session gets that names none. Raises SubscriptionError for an odd variable."""
        if "{}" not in self.subscriptions:
            return _parse(self.subscriptions, timeframe)
        if variable is None or not symbol_valid(variable):
            raise SubscriptionError(
                f"path: {variable!r}; allowed: 1 to 128 bytes without blanks, control characters, "
                "',' and '*'"
            )
        return tuple(parse(self.subscriptions.format(variable), timeframe))


@lru_cache(maxsize=64)
def _parse(text: str, timeframe: str) -> tuple[Subscription, ...]:
    return tuple(parse(text, timeframe))


def _live(*more: Mapping[str, Handler]) -> dict[State, dict[str, Handler]]:
    """The handlers by state: `COMMON`, and those of `more`, once a session is live."""
    live = dict(handlers.COMMON)
    for table in more:
        live.update(table)
    return {State.AUTHENTICATING: {"Authenticate": authenticate.first}, State.LIVE: live}


COMMANDED = _live(commands.HANDLERS)
PINGED = _live(handlers.PING)

#: CORE's six timeframes
CHARTS = ",".join(f"*:candle@{name}" for name in ("1m", "5m", "15m", "1h", "4h", "1d"))
OTHERS = ",".join(f"*:{kind}" for kind in KINDS if kind not in MARKET_KINDS)

DGBIT = Manners(_live(), beat=beats.by_frame, unknown=replies.echo, malformed=replies.pass_over)
ALPACA = _live(alpaca.LIVE)
ALPACA[State.AUTHENTICATING].update(alpaca.AUTHENTICATING)
BOTCORE = Manners(PINGED, beat=beats.by_frame, silence=90 * SECOND)

#: name -> row; that of a dialect has its name
MANNERS = {
    "trading-api": Manners(COMMANDED),
    "orchestrator": Manners(COMMANDED, beat=beats.by_frame),
    "dgbit": DGBIT,
    "dgbit-job": DGBIT._replace(
        unknown=replies.acknowledge, welcome=welcome.of_job, subscriptions="{}:job"
    ),
    "botcore": BOTCORE._replace(subscriptions=f"*:quote,{CHARTS},{OTHERS}"),
    "botcore-ai": BOTCORE._replace(subscriptions=OTHERS),
    "alpaca": Manners(
        ALPACA,
        beat=beats.by_frame,
        unknown=alpaca.refuse,
        kind_of=alpaca.kind_of,
        subscriptions="",  # nothing before ``listen``
    ),
}


#: of sessions that are `fastrouter.session.seated.Seated`, not of a dialect
SEATED = {"backtest": Manners(_live(lockstep.HANDLERS), welcome=lockstep.welcome)}


def manners(name: str) -> Manners:
    """The row of that name, the first for every other dialect."""
    return SEATED.get(name) or MANNERS.get(name, MANNERS["trading-api"])
