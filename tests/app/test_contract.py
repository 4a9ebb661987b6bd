"""Schemathesis over /openapi.json: no 5xx, and no answer that the schema does not allow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings

from fastrouter import Router
from fastrouter.app.parts import Parts
from fastrouter.app.rest import ROUTERS
from fastrouter.control.rest import build

from ..control.memory import MemoryDesk

WHY = "schemathesis is not installed"
schemathesis = pytest.importorskip("schemathesis", reason=WHY)
checks = pytest.importorskip("schemathesis.specs.openapi.checks", reason=WHY)


def application() -> Any:
    router = Router()
    desk = MemoryDesk(router)
    desk.quote("S:AAPL", 150, 150.5)
    engine: Any = SimpleNamespace(desk=lambda run_id, subject: desk)
    parts = Parts(router, live=desk, engine=engine)
    return build([make(parts) for make in ROUTERS], ["/ws"])


schema = schemathesis.openapi.from_asgi("/openapi.json", application())

#: what is well-formed may still be refused, with the 422 or 403 that the schema has: an order by
#: what there is to buy it with, an event by what its other fields say
JUDGED = {"POST", "PATCH"}


@schema.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
def test_the_contract_holds(case: Any) -> None:
    excluded = [checks.positive_data_acceptance] if case.operation.method.upper() in JUDGED else []
    case.call_and_validate(excluded_checks=excluded)
