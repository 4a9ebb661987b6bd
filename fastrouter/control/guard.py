"""Who may use what we serve by HTTP: whoever reaches it, or bearers of a token that grants it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Protocol

from fastapi import Request

from fastrouter.control.problem import Problem
from fastrouter.errors import AuthError

__all__ = ["Grant", "Guard", "Verifier"]

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fastrouter"'}


class Grant(Protocol):
    """What a token proved."""

    @property
    def admin(self) -> bool: ...
    @property
    def publish(self) -> bool: ...
    @property
    def strategies(self) -> bool: ...
    @property
    def subject(self) -> str: ...
    @property
    def accounts(self) -> Collection[str]: ...
    @property
    def strategy_id(self) -> str | None: ...


class Verifier(Protocol):
    """`fastrouter.session.auth.Verifier`: what checks the tokens of sessions."""

    def verify(self, token: str, now_s: float, /) -> Grant: ...


class Guard:
    """A dependency of the routes that need it: raises Problem for who may not.

    With a verifier, ``Authorization: Bearer <token>`` is needed, of a token of which one of the
    `claims` is true: ``admin``, ``publish``, ``strategies``; without claims any that holds. Where
    there is no such header, Alpaca's pair does: its secret is the token, its key id anything.
    (Never ``?token=``: URLs end in logs.) ``now`` is Unix time in seconds.
    """

    def __init__(
        self,
        verifier: Verifier | None,
        now: Callable[[], float],
        claims: tuple[str, ...] = ("admin",),
        account: str | None = None,
    ) -> None:
        self._verifier = verifier
        self._now = now
        self._claims = claims
        self._account = account

    def or_owner(self, account: str) -> Guard:
        """One that lets a token in, too, whose `accounts` have that account."""
        return Guard(self._verifier, self._now, self._claims, account)

    async def __call__(self, request: Request) -> Grant | None:
        """What the token grants; None where nobody is asked for one."""
        if self._verifier is None:
            return None
        try:
            grant = self._verifier.verify(_token(request), self._now())
        except AuthError as error:
            raise _refused(str(error), error.code) from None
        self._check(grant)
        return grant

    def _check(self, grant: Grant) -> None:
        if not self._claims or any(getattr(grant, claim) for claim in self._claims):
            return
        problem = f"the token's claim {' or '.join(map(repr, self._claims))} is not true"
        if self._account is not None:
            if self._account in grant.accounts:
                return
            problem += f", and its 'accounts' do not name {self._account!r}"
        raise Problem(HTTPStatus.FORBIDDEN, problem)


def _token(request: Request) -> str:
    said = request.headers.get("Authorization")
    secret = request.headers.get("APCA-API-SECRET-KEY", "").strip()
    if said is None and secret:
        return secret
    scheme, _, token = (said or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _refused("Authorization must be: Bearer <token>", "NOT_AUTHENTICATED")
    return token.strip()


def _refused(reason: str, code: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, reason, code=code, headers=CHALLENGE)
