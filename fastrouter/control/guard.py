"""Who may use what we serve by HTTP: whoever reaches it, or bearers of a token that grants it."""

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
    @property
    def publish(self) -> bool: ...


class Verifier(Protocol):
    """`fastrouter.session.auth.Verifier`: what checks the tokens of sessions."""

    def verify(self, token: str, now_s: float, /) -> Grant: ...


class Guard:
    """A dependency of the routes that need it: raises Problem for who may not.

    With a verifier, ``Authorization: Bearer <token>`` is needed, of a token of which one of the
    `claims` is true: ``admin``, ``publish``. (Never ``?token=``: URLs end in logs.)
    ``now`` is Unix time in seconds.
    """

    def __init__(
        self,
        verifier: Verifier | None,
        now: Callable[[], float],
        claims: tuple[str, ...] = ("admin",),
    ) -> None:
        self._verifier = verifier
        self._now = now
        self._claims = claims

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
        if not any(getattr(grant, claim) for claim in self._claims):
            named = " or ".join(map(repr, self._claims))
            raise Problem(HTTPStatus.FORBIDDEN, f"the token's claim {named} is not true")


def _refused(reason: str, code: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, reason, code=code, headers=CHALLENGE)
