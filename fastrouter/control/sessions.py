"""What operators see and do of sessions, whoever holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict

__all__ = ["Page", "SessionView", "Sessions"]


def _moment(ns: object) -> object:
    """Unix ns as a time."""
    return datetime.fromtimestamp(ns / 1e9, UTC) if isinstance(ns, int) else ns


Moment = Annotated[datetime, BeforeValidator(_moment)]


class SessionView(BaseModel):
    """One session. Built from any object that has these attributes, times in Unix ns."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    id: str
    address: str
    dialect: str
    path: str
    subject: str | None
    subscriptions: list[str]
    backlog: int  # bytes
    conflated: int  # events that a newer one of their topic replaced
    delivered: int  # messages
    connected_at: Moment
    last_ack: Moment | None
    strategy_id: str | None = None


class Page(BaseModel):
    """Some sessions in the order of their ids; `next` is the ``after`` of the next page."""

    sessions: list[SessionView]
    next: str | None


class Sessions(Protocol):
    """Who holds the sessions."""

    def page(
        self, after: str, limit: int, dialect: str | None, address: str | None
    ) -> Sequence[object]:
        """Up to `limit` sessions with an id above `after`, by id, as `SessionView` takes them."""

    def find(self, session_id: str) -> object | None:
        """The session of that id."""

    def close(self, session_id: str, reason: str) -> bool:
        """Close it with 1008; False when there is none."""


def page_of(found: Iterable[object], limit: int) -> Page:
    """What was found with a limit one higher: a page, and whether there is another."""
    views = [SessionView.model_validate(one) for one in found]
    more = len(views) > limit
    return Page(sessions=views[:limit], next=views[limit - 1].id if more else None)
