"""Who may use the control port: whoever reaches it, or bearers of an admin's token."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from fastapi import Request

from fastrouter.control.problem import Problem
from fastrouter.errors import AuthError

__all__ = ["Guard", "Verifier"]

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fastrouter"'}


class Grant(Protocol):
    """What a token proved."""

    @property
    def admin(self) -> bool: ...


class Verifier(Protocol):
    """`fastrouter.session.auth.Verifier`: what checks the tokens of sessions."""

    def verify(self, token: str, now_s: float, /) -> Grant: ...


class Guard:
    """A dependency of the routes that need it: raises Problem for who may not.

    With a verifier, ``Authorization: Bearer <token>`` is needed, of a token
    whose claim ``admin`` is true. (Never ``?token=``: URLs end in logs.)
    ``now`` is Unix time in seconds.
    """

    def __init__(self, verifier: Verifier | None, now: Callable[[], float]) -> None:
        self._verifier = verifier
        self._now = now

    async def __call__(self, request: Request) -> None:
        if self._verifier is None:
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("Authorization must be: Bearer <token>", "NOT_AUTHENTICATED")
        try:
            grant = self._verifier.verify(token.strip(), self._now())
        except AuthError as error:
            raise _refused(str(error), error.code) from None
        if not grant.admin:
            raise Problem(HTTPStatus.FORBIDDEN, "the token's claim 'admin' is not true")


def _refused(reason: str, code: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, reason, code=code, headers=CHALLENGE)
