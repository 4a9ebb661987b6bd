"""Who has a CPU first: us, before all ordinary programs, where that is asked for."""

from __future__ import annotations

import os
from contextlib import suppress

from fastrouter.errors import ConfigError

__all__ = ["take"]

#: Turns among equals, lest one server keep another from its CPU. What we start is ordinary again:
#: programs, and threads that begin later.
POLICY = os.SCHED_RR | os.SCHED_RESET_ON_FORK


def take() -> None:
    """Have each thread there is scheduled in real time, at the lowest priority (sched(7)).

    All of them: a store's thread that waited for a CPU with the interpreter's lock in its hands
    would make the loop wait with it. Raises ConfigError when this is not permitted.
    """
    first = os.sched_param(os.sched_get_priority_min(os.SCHED_RR))
    try:
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setscheduler(int(thread), POLICY, first)
    except PermissionError:
        raise ConfigError(
            "server.realtime: not permitted; it needs CAP_SYS_NICE, or a limit of real-time"
            " priority of at least 1 (ulimit -r)"
        ) from None
