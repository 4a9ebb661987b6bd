"""Schemathesis over the schema of a running server: no 5xx, and no answer that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest
from hypothesis import settings

from fastrouter import Router
from fastrouter.app.parts import Parts
from fastrouter.app.rest import ROUTERS
from fastrouter.control.rest import build

from ..served import Served

WHY = "schemathesis is not installed"
schemathesis = pytest.importorskip("schemathesis", reason=WHY)
checks = pytest.importorskip("schemathesis.specs.openapi.checks", reason=WHY)

CONFIG = """
feed.spec = "synthetic"
[strategies.idle]
command = ["sleep", "1000"]
symbols = ["S:AAPL"]
"""

#: what is well-formed may still be refused, with the 422 or 403 that the schema has: an order by
#: what there is to buy it with, an event by what its other fields say
JUDGED = {"POST", "PATCH"}


def application() -> Any:
    """The routes of a whole server, over nothing."""
    there: Any = MagicMock()
    parts = Parts(Router(), None, there, None, there, there, there, there)
    return build([make(parts) for make in ROUTERS])


#: the systematic part takes most of a minute for the one body that may be any of ten events
QUICK = {"operations": [{"include-path": "/v1/events", "phases": {"coverage": {"enabled": False}}}]}
schema = schemathesis.openapi.from_dict(
    application().openapi(), config=schemathesis.Config.from_dict(QUICK)
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A whole server's."""
    file: Path = tmp_path_factory.mktemp("served") / "fastrouter.toml"
    file.write_text(CONFIG)
    with Served("--config", str(file), "--no-control", FASTROUTER_PORTS__BACKTEST="0") as server:
        yield server.url(8080, "", "http")


def test_it_is_the_servers(url):
    assert httpx.get(f"{url}/openapi.json", trust_env=False).json() == schema.raw_schema


@schema.parametrize()
@settings(max_examples=5, deadline=None, derandomize=True, database=None)
def test_the_contract_holds(url: str, case: Any) -> None:
    excluded = [checks.positive_data_acceptance] if case.operation.method.upper() in JUDGED else []
    case.call_and_validate(base_url=url, excluded_checks=excluded)
