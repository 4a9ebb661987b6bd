"""What the trading API answers with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Response
from pydantic import BaseModel, Field

__all__ = ["Refused", "answer", "body_of", "refusals"]


class Refused(BaseModel):
    """Why nothing was done: Alpaca's number where it has one for this, else a word of ours."""

    code: int | str = Field(examples=[40310000, "MAX_ORDERS_PER_MINUTE"])
    message: str


REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
BODIES = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def refusals(*, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for OpenAPI; of one that has a body too."""
    return {status.value: {"model": Refused} for status in REFUSALS + (BODIES if body else ())}


def body_of(model: type[BaseModel], *optional: str) -> dict[str, Any]:
    """A route's body that `read_json` reads, for OpenAPI; fields that the model need not have.

    Null is as good as left out.
    """
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    for name, field in schema["properties"].items():
        if name in optional or field.get("default") is not None:
            default = {key: field.pop(key) for key in ("default",) if key in field}
            schema["properties"][name] = {"anyOf": [field, {"type": "null"}], **default}
    schema["required"] = [name for name in schema.get("required", ()) if name not in optional]
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references, which mean another place in OpenAPI."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = schema.get("$ref")
    if isinstance(name, str):
        return _inlined(definitions[name.rpartition("/")[2]], definitions)
    return {key: _inlined(item, definitions) for key, item in schema.items()}


def answer(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")
