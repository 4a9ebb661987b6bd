"""Which desk a request is for, and whether who asks may use it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import Request

from fastrouter.control.desk import Desk
from fastrouter.control.guard import Grant, Guard
from fastrouter.control.problem import Problem
from fastrouter.errors import FastrouterError
from fastrouter.models.fields import shown

__all__ = ["Access", "Desks", "Gate", "Runs"]

Gate = Callable[[str, bool], None]
"""Raises Problem for a strategy that there is not, and, when it acts, for one that may not now."""

Runs = Callable[[str, str | None], Desk]
"""The desk of a run, for a subject (None: nobody asked). Raises FastrouterError when it has none,
or none of theirs."""


class Access(NamedTuple):
    """A desk, and as which strategy it is used: "" as the account."""

    desk: Desk
    strategy_id: str = ""
    gate: Gate | None = None
    bearer: str | None = None  # the strategy of whose process the token is

    @property
    def only(self) -> str | None:
        """The strategy to which what is shown is limited."""
        return self.strategy_id or None

    def check(self, strategy_id: str) -> None:
        """Raises Problem when orders of that strategy are refused just now."""
        if self.gate is not None and strategy_id:
            self.gate(strategy_id, True)

    def check_said(self, body: Any) -> None:
        """Raises Problem for a body that names another strategy than the token's."""
        said = body.get("strategy_id") if isinstance(body, dict) else None
        if isinstance(said, str):
            _check_bearer(self.bearer, said)


class Desks:
    """The live desk, and those of runs.

    The live one is for bearers of a token whose `accounts` have its account, or that is
    an admin's; a run's for whom the engine says. A token of a strategy's process is that
    strategy's wherever it is live, and no other's. `live` None: no account is served;
    `gate` None: strategies may be called anything, as in a run.
    """

    def __init__(
        self,
        guard: Guard,
        live: Desk | None = None,
        run: Runs | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._guard = guard
        self._run = run
        self._gate = gate
        self.live = live

    async def find(self, request: Request) -> Access:
        """By the path's `strategy_id` or `run_id`. Raises Problem: 401, 403, 404."""
        grant = await self._guard(request)
        run_id = request.path_params.get("run_id")
        if run_id is not None:
            return Access(self._of_run(run_id, grant))
        bearer = None if grant is None else grant.strategy_id
        strategy_id = request.path_params.get("strategy_id", bearer or "")
        _check_bearer(bearer, strategy_id)
        if self.live is None:
            raise Problem(HTTPStatus.NOT_FOUND, "no account is served here", code="NO_ACCOUNT")
        _check_account(grant, self.live)
        if strategy_id and self._gate is not None:
            self._gate(strategy_id, False)
        return Access(self.live, strategy_id, self._gate, bearer)

    def _of_run(self, run_id: str, grant: Grant | None) -> Desk:
        if self._run is None:
            problem = f"there is no run {run_id[:100]!r}: backtests are not served"
            raise Problem(HTTPStatus.NOT_FOUND, problem, code="NO_SUCH_RUN")
        subject = None if grant is None or grant.admin else grant.subject
        try:
            return self._run(run_id, subject)
        except FastrouterError as error:
            status = RUN_STATUS.get(error.code, HTTPStatus.NOT_FOUND)
            raise Problem(status, str(error), code=error.code) from None


#: why a run's desk is not to be had -> status, where that is not 404
RUN_STATUS = {"FORBIDDEN": HTTPStatus.FORBIDDEN}


def _check_bearer(bearer: str | None, strategy_id: str) -> None:
    if bearer is not None and strategy_id != bearer:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            f"the token is of strategy {bearer!r}, which acts as itself alone: "
            f"strategy_id is {shown(strategy_id)}; allowed: {bearer!r}",
        )


def _check_account(grant: Grant | None, desk: Desk) -> None:
    account = desk.broker.ledger.account.id
    if grant is None or grant.admin or account in grant.accounts:
        return
    raise Problem(HTTPStatus.FORBIDDEN, f"the token's claim 'accounts' does not name {account!r}")
