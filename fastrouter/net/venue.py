"""Where the sessions of a route belong when it is not the server's own router."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from fastrouter.session.seated import Seat

__all__ = ["Venue"]


class Venue(Protocol):
    """Gives seats. There is no limit to what its sessions may say, nor how fast."""

    def admit(
        self,
        names: Collection[str],
        parameter: Callable[[str], str | None],
        subject: str | None,
    ) -> Seat:
        """A seat for a request with these parameters. Raises MessageError.

        `subject` is None without auth, "" of who has yet to prove it.

        Its code decides how the request is refused: see `fastrouter.net.handshake`.
        """
