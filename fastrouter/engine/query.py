"""What a backtest's query string asks for.

``subscriptions`` and ``dialect`` are the session's. Who is subscribed to nothing, as by an empty
``subscriptions=``, is offered nothing and owes nothing: its run goes to the end at once, unless
others hold it up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ..broker import Commission
from ..broker.account import MAX_ID
from ..broker.commission import RATES
from ..broker.money import LIMIT, ZERO
from ..core.leaves import symbol_valid
from ..errors import ConfigError, MessageError
from ..models.fields import decimal_text
from .track import EVERYTHING, Span

__all__ = ["ALLOWED", "Wanted"]

SECOND = 1_000_000_000  # ns
MILLISECOND = 1_000_000
LONGEST_SYMBOL = 32  # bytes; what a row holds
MOST_CLIENTS = 1024
WIDEST = 1 << 20  # batches
YES = {"true": True, "1": True, "false": False, "0": False}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RUN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGITS = re.compile(r"-?[0-9]{1,15}", re.ASCII)

#: what is asked of the session, not of its run
OF_THE_SESSION = ("subscriptions", "dialect", "token")
#: what the live endpoint knows, and why a run does not
NOT_HERE = {
    "since": "a run goes on by run=<run_id>",
    "conflate": "in a run every event is sent",
}

#: dialects of which some messages have no id, so that nobody could acknowledge them
WITHOUT_IDS = ("orchestrator", "dgbit", "botcore", "botcore-ai", "alpaca")


class Wanted(NamedTuple):
    """What was named; None is what was not. Instants and times are ns.

    With a ``window`` above 1 an order belongs to the newest instant that was published when it
    came in, which is a matter of speed: two runs with orders are the same with 1 alone.
    """

    dataset: str | None = None
    start: int | None = None
    end: int | None = None
    symbols: tuple[str, ...] | None = None
    window: int | None = None
    run: str | None = None
    clients: int | None = None
    evict: int | None = None
    member: int | None = None
    account: str | None = None
    cash: Decimal | None = None
    commission: tuple[tuple[str, str], ...] | None = None
    shorting: bool | None = None

    @classmethod
    def read(cls, names: Collection[str], parameter: Callable[[str], str | None]) -> Wanted:
        """Take parameters by name. Raises MessageError that says what is allowed."""
        for name in names:
            if name in NOT_HERE:
                raise MessageError(f"{name} is not for a backtest: {NOT_HERE[name]}")
            if name not in ALLOWED:
                raise MessageError(f"{name[:100]!r} is not known; allowed: {', '.join(ALLOWED)}")
        dialect = parameter("dialect")
        if dialect in WITHOUT_IDS:
            raise MessageError(
                f"dialect is {dialect!r}, whose messages have no ids to be acknowledged by; "
                "allowed: trading-api"
            )
        given = {name: read(name, text) for name, read in READ.items() if (text := parameter(name))}
        wanted = cls(**given)
        if wanted.start is not None and wanted.end is not None and wanted.start >= wanted.end:
            raise MessageError("start is not before end")
        return wanted

    @property
    def span(self) -> Span:
        """What of the data set is wanted."""
        symbols = self.symbols
        return Span(
            EVERYTHING.start if self.start is None else self.start,
            EVERYTHING.end if self.end is None else self.end,
            None if symbols is None else frozenset(symbol.encode() for symbol in symbols),
        )


def _name(name: str, text: str) -> str:
    return text


def _run(name: str, text: str) -> str:
    if not _RUN.fullmatch(text):
        raise MessageError(f"run is {text[:100]!r}; allowed: 1 to 64 of A-Z a-z 0-9 . _ -")
    return text


def _instant(name: str, text: str) -> int:
    if _DIGITS.fullmatch(text):
        return _in_range(name, text, int(text) * MILLISECOND)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _no_instant(name, text) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    past = found - EPOCH
    return _in_range(
        name, text, (past.days * 86400 + past.seconds) * SECOND + past.microseconds * 1000
    )


def _in_range(name: str, text: str, instant: int) -> int:
    if not EVERYTHING.start < instant < EVERYTHING.end:
        raise _no_instant(name, text)
    return instant


def _no_instant(name: str, text: str) -> MessageError:
    return MessageError(
        f"{name} is {text[:100]!r}; allowed: ISO-8601 as 2025-01-31 or 2025-01-31T09:30:00Z, "
        "or Unix ms"
    )


def _symbols(name: str, text: str) -> tuple[str, ...]:
    symbols = tuple(dict.fromkeys(item.strip() for item in text.split(",")))
    for symbol in symbols:
        if not symbol_valid(symbol) or len(symbol.encode()) > LONGEST_SYMBOL:
            raise MessageError(
                f"symbols: {symbol[:100]!r}; allowed: symbols of 1 to {LONGEST_SYMBOL} bytes, "
                "separated by commas"
            )
    return symbols


def _count(most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= most:
            raise MessageError(f"{name} is {text[:100]!r}; allowed: 1 to {most}")
        return int(text)

    return read


def _seconds(name: str, text: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 86400:
        raise MessageError(f"{name} is {text[:100]!r}; allowed: seconds above 0, to 86400")
    return max(1, int(seconds * SECOND))


def _account(name: str, text: str) -> str:
    if not 0 < len(text.encode()) <= MAX_ID:
        raise MessageError(f"account is {text[:100]!r}; allowed: 1 to {MAX_ID} bytes")
    return text


def _cash(name: str, text: str) -> Decimal:
    try:
        cash = Decimal(decimal_text(text))
    except ValueError:
        cash = ZERO
    if not 0 < cash < LIMIT:
        raise MessageError(f"cash is {text[:100]!r}; allowed: above 0, below 10^12")
    return cash


def _commission(name: str, text: str) -> tuple[tuple[str, str], ...]:
    items = [item.strip().partition(":") for item in text[:1000].split(",")]
    rates = {rate: number for rate, _, number in items}
    try:
        Commission(rates)
    except ConfigError as error:
        raise MessageError(
            f"{error}; separated by commas, as {' or '.join(f'{rate}:0.1' for rate in RATES)}"
        ) from None
    return tuple(sorted(rates.items()))


def _yes(name: str, text: str) -> bool:
    if text.lower() not in YES:
        raise MessageError(f"{name} is {text[:100]!r}; allowed: true, false")
    return YES[text.lower()]


READ: dict[str, Callable[[str, str], Any]] = {
    "dataset": _name,
    "start": _instant,
    "end": _instant,
    "symbols": _symbols,
    "window": _count(WIDEST),
    "run": _run,
    "clients": _count(MOST_CLIENTS),
    "evict": _seconds,
    "member": _count(1 << 30),
    "account": _account,
    "cash": _cash,
    "commission": _commission,
    "shorting": _yes,
}

ALLOWED = (*READ, *OF_THE_SESSION)
