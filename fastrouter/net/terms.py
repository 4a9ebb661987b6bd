"""What a session gets, by its route and the dialect it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from fastrouter.net.route import Route
from fastrouter.session.limits import rate_limit
from fastrouter.session.manners import Manners, manners
from fastrouter.session.rules import Rules
from fastrouter.session.subscriptions import DEFAULT, Subscription, parse

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect
    from fastrouter.net.endpoint import Admission, Endpoint
    from fastrouter.session.acks import Acks
    from fastrouter.session.roster import Roster

__all__ = ["Book", "Terms"]


class Terms(NamedTuple):
    """What a session gets."""

    dialect: Dialect
    rules: Rules


class Book:
    """The terms of all sessions of one server; those of a kind are one object.

    `speak` returns the dialect of a name; it raises ConfigError when there is none.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        admission: Admission,
        acks: Acks,
        speak: Callable[[str], Dialect],
        orchestrator: Dialect | None = None,
        roster: Roster | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._admission = admission
        self._acks = acks
        self._speak = speak
        self._orchestrator = orchestrator
        self._roster = roster
        self._terms: dict[tuple[Route, str], Terms] = {}

    def of(self, route: Route, dialect: str | None = None) -> Terms:
        """What a session gets at that route, which may ask for another dialect than the route's.

        Raises ConfigError for a dialect that is not registered, SubscriptionError
        for a default that is malformed.
        """
        name = dialect or route.dialect
        terms = self._terms.get((route, name))
        if terms is None:
            terms = self._terms[route, name] = self._settle(route, name)
        return terms

    def _settle(self, route: Route, name: str) -> Terms:
        return Terms(self._speak(name), self._rules(route, name, _manners(route, name)))

    def _rules(self, route: Route, dialect: str, way: Manners) -> Rules:
        endpoint, admission = self._endpoint, self._admission
        return Rules(
            heartbeat=int(endpoint.heartbeat * 1e9),
            default_timeframe=endpoint.default_timeframe,
            subscriptions=self._default(route),
            max_subscriptions=endpoint.max_subscriptions,
            rate=rate_limit(dialect, 0 if route.venue else endpoint.messages(dialect)),
            acks=self._acks,
            verifier=admission.verifier,
            auth_timeout=int(admission.auth_seconds * 1e9),
            manners=way,
            orchestrator=self._orchestrator,
            of_strategies=route.of_strategies,
            roster=self._roster,
        )

    def _default(self, route: Route) -> tuple[Subscription, ...] | None:
        timeframe = self._endpoint.default_timeframe
        text = self._endpoint.subscriptions if route.subscriptions is None else route.subscriptions
        found = tuple(parse(DEFAULT if text is None else text, timeframe))
        return None if text is None else found


def _manners(route: Route, dialect: str) -> Manners:
    """The route's own; in another dialect that one's, but for what a path subscribes to."""
    if route.manners is None:
        return manners(dialect)
    own = manners(route.manners)
    if dialect == route.dialect or route.venue is not None:
        return own
    return manners(dialect)._replace(subscriptions=own.subscriptions)
