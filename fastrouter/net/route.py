"""Which path of a port speaks what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fastrouter.errors import ConfigError
from fastrouter.net.venue import Venue

__all__ = ["Found", "Route", "Routes"]

_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+")
_VARIABLE = re.compile(r"\{([a-z_]+)\}")
#: what a variable may stand for: one segment that means nothing to a subscription
_VALUE = "[A-Za-z0-9._~-]{1,128}"


class Route(NamedTuple):
    """A path, and what sessions get there.

    One whole segment of the path may be a variable, as in ``/api/ws/jobs/{job_uuid}``.
    """

    path: str
    dialect: str = "trading-api"
    manners: str | None = None  # how sessions behave; None: as their dialect's do
    subscriptions: str | None = None  # of who names none; None: the endpoint's
    of_strategies: bool = False  # a strategy's session that names none gets that strategy's
    venue: Venue | None = None  # whose sessions they are; None: the server's router's
    about: str = ""  # what it is for, in a few words for people


class Found(NamedTuple):
    """The route of a path, and what its variable stands for there."""

    route: Route
    value: str | None = None


class Routes:
    """The routes of one port. Raises ConfigError when there are none, or not for a path each."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)
        self._plain: dict[str, Found] = {}
        self._variable: list[tuple[re.Pattern[str], Route]] = []
        for route in self._routes:
            self._add(route)
        if not self._routes:
            raise ConfigError("there is no path; allowed: one or more, each from '/' on")
        if len({_VARIABLE.sub("{}", route.path) for route in self._routes}) < len(self._routes):
            raise ConfigError(f"a path is there twice: {', '.join(self.paths)}")

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths, as they were given."""
        return tuple(route.path for route in self._routes)

    def find(self, path: str) -> Found | None:
        """The route of a path, None when it has none. Plain paths go before variables."""
        found = self._plain.get(path)
        if found is not None:
            return found
        for pattern, route in self._variable:
            if match := pattern.fullmatch(path):
                return Found(route, match[1])
        return None

    def _add(self, route: Route) -> None:
        before, *after = _VARIABLE.split(route.path)
        whole = all(f"/{{{name}}}/" in f"{route.path}/" for name in after[::2])
        if not _PATH.fullmatch(_VARIABLE.sub("x", route.path)) or len(after) > 2 or not whole:
            raise ConfigError(
                f"path {route.path!r}; allowed: from '/' on, one segment of it a {{variable}}"
            )
        if after:
            pattern = f"{re.escape(before)}({_VALUE}){re.escape(after[1])}"
            self._variable.append((re.compile(pattern), route))
        else:
            self._plain[route.path] = Found(route)
