"""Sessions that come back: each is brought what it missed, before it is live."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from fastrouter.errors import CloseCode
from fastrouter.journal.journal import Journal

if TYPE_CHECKING:
    from fastrouter.core.router import Router
    from fastrouter.journal.replay import Replay
    from fastrouter.net.listener import Listener

__all__ = ["Resuming"]


class Resuming:
    """The replays under way of one server's sessions."""

    def __init__(self, router: Router, log: logging.Logger) -> None:
        self._router = router
        self._log = log
        self._replays: dict[Listener, Replay] = {}

    def begin(self, listener: Listener, since: int, missed: tuple[int, str]) -> None:
        """Replay what the journal has after event `since`; who asks again gets what it asked last.

        `missed` is the newest event at the feed's last gap, 0 for none, and why.
        """
        gap = partial(self._missing, listener)
        after, reason = missed
        if after and since <= after:
            gap(reason)
        if not isinstance(self._router.recorder, Journal):
            gap("no event is kept here; you are live")
            listener.outbox.go_live()
            return
        if replay := self._replays.get(listener):
            replay.cancel()
        self._replays[listener] = self._router.recorder.replay(
            listener.outbox, since, gap, partial(self._failed, listener)
        )

    def drained(self, listener: Listener) -> None:
        """A held session has nothing more to send: more of its replay, if there is."""
        if replay := self._replays.get(listener):
            replay.drained()

    def end(self, listener: Listener) -> None:
        """The session is gone."""
        if replay := self._replays.pop(listener, None):
            replay.cancel()

    def _failed(self, listener: Listener) -> None:
        listener.close(CloseCode.INTERNAL_ERROR, "replay failed")

    def _missing(self, listener: Listener, reason: str) -> None:
        self._log.info("%s resumes with a gap: %s", listener.session.id, reason)
        listener.session.gap(reason)
