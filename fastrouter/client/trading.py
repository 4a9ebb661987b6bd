"""Orders, positions and signals: how a program trades."""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import Iterable
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from fastrouter.client.options import own_token
from fastrouter.client.publishing import DEFAULT_REST_URL, REST_URL_VARIABLE, check
from fastrouter.client.rest import Rest
from fastrouter.client.results import Account, Order, Position, Result
from fastrouter.client.surroundings import Surroundings
from fastrouter.errors import ConnectionFailed, OrderError

__all__ = ["STRATEGY_VARIABLE", "Amount", "Trading", "trading"]

STRATEGY_VARIABLE = "STRATEGY_ID"

NO_POSITION = ("POSITION_NOT_FOUND", "40410000")  # in our words, and in Alpaca's

RUNS = "/v1/runs/"  # where desks of backtests are; what they publish is the same in every run

Amount = Decimal | float | str
R = TypeVar("R", bound=Result)


class Trading:
    """A desk: the live one, or a backtest's; the program is the same.

    Use it as ``async with``, or `aclose` it. Requests of one object are answered
    in the order they were made. Whatever the desk refuses is an OrderError, what
    the token does not allow an AuthError, each with the server's code; without
    an answer it is ConnectionFailed, after as many attempts as do no harm.
    """

    def __init__(self, rest: Rest, strategy_id: str = "") -> None:
        self.strategy_id = strategy_id
        self._rest = rest
        self._in_run = RUNS in rest.path

    # ---- orders

    async def submit(
        self,
        symbol: str,
        side: str,
        qty: Amount | None = None,
        *,
        type: str = "market",
        time_in_force: str = "day",
        limit_price: Amount | None = None,
        stop_price: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Send an order: ``side`` is buy or sell, ``type`` market, limit, stop or stop_limit.

        One of ``qty`` and ``notional`` is needed. An order whose answer was lost is sent again
        and is still one order: by its ``client_order_id``, made here unless given. In a run the
        desk makes that, so that two runs are the same bytes, and the request has a key instead.
        A refused order is an OrderError, or an Order whose status is rejected.
        """
        body = _given(
            symbol=symbol,
            side=side,
            type=type,
            time_in_force=time_in_force,
            qty=_text(qty),
            notional=_text(notional),
            limit_price=_text(limit_price),
            stop_price=_text(stop_price),
            client_order_id=client_order_id,
            strategy_id=self.strategy_id or None,
        )
        return await self._order_once("POST", "/v2/orders", body)

    async def replace(
        self,
        order_id: str,
        *,
        qty: Amount | None = None,
        limit_price: Amount | None = None,
        stop_price: Amount | None = None,
        time_in_force: str | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Put another order in an open one's place; what is not given stays as it was."""
        body = _given(
            qty=_text(qty),
            limit_price=_text(limit_price),
            stop_price=_text(stop_price),
            time_in_force=time_in_force,
            client_order_id=client_order_id,
        )
        return await self._order_once("PATCH", f"/v2/orders/{_segment(order_id)}", body)

    async def cancel(self, order_id: str) -> None:
        """Cancel an open order; one that is canceled already stays so."""
        try:
            await self._rest.ask("DELETE", f"/v2/orders/{_segment(order_id)}", again=True)
        except OrderError:
            if (await self.order(order_id)).status != "canceled":
                raise

    async def cancel_all(self) -> list[str]:
        """Cancel all open orders; their ids."""
        said = await self._rest.ask("DELETE", "/v2/orders", again=True)
        return [str(one["id"]) for one in self._list(said)]

    async def order(self, order_id: str) -> Order:
        """An order as it is now."""
        return await self._one(Order, "GET", f"/v2/orders/{_segment(order_id)}")

    async def orders(
        self, status: str = "open", *, symbols: Iterable[str] | None = None, limit: int = 500
    ) -> list[Order]:
        """The newest orders that are ``open``, ``closed`` or ``all``, newest first."""
        query = {
            "status": status,
            "limit": limit,
            "symbols": None if symbols is None else ",".join(symbols),
        }
        said = await self._rest.ask("GET", "/v2/orders", query=query, again=True)
        return [self._read(Order, one) for one in self._list(said)]

    # ---- what there is

    async def positions(self) -> list[Position]:
        """Everything that is held."""
        said = await self._rest.ask("GET", "/v2/positions", again=True)
        return [self._read(Position, one) for one in self._list(said)]

    async def position(self, symbol: str) -> Position | None:
        """What is held of a symbol; None when that is nothing."""
        try:
            return await self._one(Position, "GET", f"/v2/positions/{_segment(symbol)}")
        except OrderError as error:
            if error.code in NO_POSITION:
                return None
            raise

    async def close(self, symbol: str, qty: Amount | None = None) -> Order:
        """Close what is held of a symbol, or so much of it, with a market order."""
        path = f"/v2/positions/{_segment(symbol)}"
        said = await self._rest.ask("DELETE", path, query={"qty": _text(qty)}, again=False)
        return self._read(Order, said)

    async def close_all(self) -> list[str]:
        """Close every position; their symbols."""
        said = await self._rest.ask("DELETE", "/v2/positions", again=False)
        closed = self._list(said)
        return [str(one.get("body", one).get("topic_symbol", one["symbol"])) for one in closed]

    async def account(self) -> Account:
        """Cash, equity and buying power."""
        return await self._one(Account, "GET", "/v2/account")

    # ---- what we think

    async def signal(
        self,
        symbol: str,
        action: str,
        *,
        confidence: float = 0.0,
        price: float | None = None,
        quantity: Amount | None = None,
        **more: Any,
    ) -> str:
        """Tell everybody who listens; ``action`` is BUY, SELL or HOLD. Returns its event's id.

        It orders nothing. ``more`` are other fields of a signal: timeframe, reasoning, metadata …
        """
        body = _given(
            id=None if self._in_run else f"sig_{secrets.token_hex(8)}",
            strategy_id=self.strategy_id or None,
            symbol=symbol,
            action=action,
            confidence=confidence,
            price=price,
            quantity=_text(quantity),
        )
        said = await self._rest.ask("POST", "/v1/signals", {**body, **more}, again=False)
        return str(said.get("id", "")) if isinstance(said, dict) else ""

    # ---- its life

    async def aclose(self) -> None:
        """Hang up; calling it again is free."""
        await self._rest.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    # ---- inside

    async def _order_once(self, method: str, path: str, body: dict[str, Any]) -> Order:
        """However often it has to be asked for."""
        key = None
        if self._in_run:
            key = _new_id()
        else:
            body.setdefault("client_order_id", _new_id())
        said = await self._rest.ask(method, path, body, again=True, key=key)
        return self._read(Order, said)

    async def _one(self, kind: type[R], method: str, path: str) -> R:
        said = await self._rest.ask(method, path, again=True)
        return self._read(kind, said)

    def _read(self, kind: type[R], said: Any) -> R:
        try:
            return kind.read(said)
        except (AttributeError, KeyError, ValueError) as error:
            raise self._no_desk(kind.__name__.lower(), error) from None

    def _list(self, said: Any) -> list[Any]:
        if isinstance(said, list) and all(isinstance(one, dict) for one in said):
            return said
        raise self._no_desk("list", said)

    def _no_desk(self, what: str, why: object) -> ConnectionFailed:
        return ConnectionFailed(f"{self._rest.name} answers without the {what}: {why!s:.100}")


def trading(
    url: str | None = None,
    *,
    token: str | None = None,
    strategy_id: str | None = None,
    timeout: float = 10.0,
    ssl_context: ssl.SSLContext | None = None,
    surroundings: Surroundings | None = None,
) -> Trading:
    """Trade at a router's desk::

        async with fastrouter.trading() as desk:
            order = await desk.submit("C:BTCUSD", "buy", qty=1)

    :param url: the desk's REST address; default ``PROXY_REST_URL``, else
        ``http://127.0.0.1:8080``.
    :param token: a bearer token whose ``accounts`` have the desk's; default, at the
        environment's or the default address, ``PROXY_TOKEN``.
    :param strategy_id: whose orders these are; default ``STRATEGY_ID``, else nobody's.
    :param timeout: seconds to wait for an answer.
    :param ssl_context: for ``https``; by default the system's authorities are trusted.
    :param surroundings: clocks and chance, for tests.
    """
    if token is None:
        token = own_token(REST_URL_VARIABLE, url)
    if strategy_id is None:
        strategy_id = os.environ.get(STRATEGY_VARIABLE, "")
    target = check(url or os.environ.get(REST_URL_VARIABLE) or DEFAULT_REST_URL)
    rest = Rest(target, token, timeout=timeout, ssl_context=ssl_context, surroundings=surroundings)
    return Trading(rest, strategy_id)


def _new_id() -> str:
    return secrets.token_hex(16)


def _text(value: Amount | None) -> str | None:
    """An amount as the decimal it reads as."""
    return None if value is None else str(value)


def _segment(name: str) -> str:
    return quote(name, safe=":")


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
