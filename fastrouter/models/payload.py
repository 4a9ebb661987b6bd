"""What all payloads have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from fastrouter.models.cases import Cases, stated

__all__ = ["Payload"]


class Payload(BaseModel):
    """Refuses unknown fields, and values of another type: a bool is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    CASES: ClassVar[Cases] = ()
    """Of which one must hold; who has some checks them."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core_schema)
        if not cls.CASES:
            return schema
        found = handler.resolve_ref_schema(schema)
        found.update(stated(found, cls.CASES))
        return schema

    def plain(self) -> dict[str, Any]:
        """The fields that were set, in the model's order. What is free in them is shared."""
        return {name: value for name, value in self.__dict__.items() if value is not None}
