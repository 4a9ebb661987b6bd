"""Payloads that the models allow, for tests of what happens to them."""

from typing import Any

Payload = dict[str, Any]


def order(number: int, symbol: str = "S:A", **fields: Any) -> Payload:
    """An order whose id is the number."""
    return {"id": str(number), "symbol": symbol, **fields}


def signal(number: int, symbol: str = "S:A", **fields: Any) -> Payload:
    """A signal whose id is the number."""
    return {"id": str(number), "symbol": symbol, "action": "BUY", **fields}
