"""The event bus beside the feed."""

from __future__ import annotations

from pydantic import Field, field_validator

from fastrouter.bus.address import FORMS, check
from fastrouter.bus.outlet import KINDS
from fastrouter.config.section import Section
from fastrouter.config.values import Listed
from fastrouter.core import kinds

__all__ = ["Bus"]

ADDRESSES = f"addresses as {' or '.join(FORMS[:3])}"


class Bus(Section):
    """The event bus, beside whatever the feed is: who publishes there, and where we do.

    All of it is one bus: what came in from it is not sent to it again.
    """

    dial: Listed = Field(default=(), description=f"{ADDRESSES}: where publishers listen")
    listen: Listed = Field(default=(), description=f"{ADDRESSES}: where publishers dial in")
    topics: Listed = Field(
        default=(),
        description="how event types to take begin, as job. or job.*; all if none",
    )
    publish: str | None = Field(
        default=None, description=f"an address as {FORMS[0]}: where subscribers dial in"
    )
    kinds: Listed = Field(
        default=KINDS, min_length=1, description=f"of {', '.join(kinds.KINDS)}: what is published"
    )
    buffer: int = Field(
        default=1024, ge=1, le=8192,
        description="1 to 8192 messages that a slow subscriber may lag before it loses the oldest",
    )  # fmt: skip

    @field_validator("dial", "listen")
    @classmethod
    def _addresses_are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(check, addresses)))

    @field_validator("publish")
    @classmethod
    def _address_is_one(cls, address: str | None) -> str | None:
        return None if address is None else check(address)

    @field_validator("kinds")
    @classmethod
    def _kinds_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in kinds.KINDS:
                raise ValueError(f"{name!r} is no kind; allowed: {', '.join(kinds.KINDS)}")
        return tuple(dict.fromkeys(names))
