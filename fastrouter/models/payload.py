"""What all payloads have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Payload"]


class Payload(BaseModel):
    """Refuses unknown fields, and values of another type: a bool is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def plain(self) -> dict[str, Any]:
        """The fields that were set, in the model's order. What is free in them is shared."""
        return {name: value for name, value in self.__dict__.items() if value is not None}
