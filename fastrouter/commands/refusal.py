"""What a server says that it will not send."""

from __future__ import annotations

from fastrouter.client.inbox import AnyEvent
from fastrouter.client.link import REFUSALS
from fastrouter.core.event import Event
from fastrouter.errors import SubscriptionError

__all__ = ["check_refusal"]


def check_refusal(event: AnyEvent) -> None:
    """Raise SubscriptionError when the server will not send what was asked for at the start."""
    if isinstance(event, Event) and event.kind == "error" and isinstance(event.payload, dict):
        code = event.payload.get("code")
        if code in REFUSALS:
            raise SubscriptionError(str(event.payload.get("message", code)), code=code)
