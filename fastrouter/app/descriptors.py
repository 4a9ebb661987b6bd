"""File descriptors: every connection holds one."""

from __future__ import annotations

import resource

import structlog

__all__ = ["RESERVE", "provide"]

logger = structlog.stdlib.get_logger("fastrouter.app")

#: for all that is no session's connection: files, feeds, the control port, those sent away
RESERVE = 64


def provide(connections: int) -> int:
    """Raise the soft limit to the hard one; returns what it is then.

    Warns when so many connections (0: any number) cannot fit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        soft = _raised(soft, hard)
    if soft != resource.RLIM_INFINITY and connections + RESERVE > soft:
        logger.warning(
            "too few file descriptors for limits.connections: raise the hard limit (ulimit -Hn)",
            connections=connections,
            descriptors=soft,
            needed=connections + RESERVE,
        )
    return soft


def _raised(soft: int, hard: int) -> int:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # some systems allow less than they say
        return soft
    return hard
