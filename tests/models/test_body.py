"""Events as a publisher outside writes them. How they are refused: see control/test_intake.py."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from fastrouter.core.kinds import KINDS
from fastrouter.models.body import BODIES, event_of

from .test_market import CANDLE, QUOTE
from .test_models import LEAST

PAYLOADS = {"quote": QUOTE, "candle": CANDLE, **LEAST}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_taken_fits_the_schema_that_is_shown(kind):
    body = {"kind": kind, "payload": PAYLOADS[kind], "time": "2025-01-01T00:00:00Z"}
    event_of(body)
    TypeAdapter(BODIES[kind]).validate_python(body)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [{"symbol": "S:X"}, {"account": "ada"}, {"x": 1}])
def test_what_is_refused_beside_the_payload_is_refused_by_the_schema(kind, more):
    body = {"kind": kind, "payload": PAYLOADS[kind], **more}
    try:
        event_of(body)
    except ValueError:
        with pytest.raises(ValidationError):
            BODIES[kind].model_validate(body)
    else:
        BODIES[kind].model_validate(body)


def test_times_symbols_and_accounts():
    body = {
        "kind": "order",
        "payload": LEAST["order"],
        "time": "2025-01-01T01:00:00+01:00",
        "symbol": "S:X",
        "account": "ada",
    }
    event = event_of(body)
    assert (event.time, event.symbol, event.account) == (1_735_689_600_000_000_000, "S:X", "ada")


@pytest.mark.parametrize(
    ("kind", "symbol"), [("order", "S:AAPL"), ("job", "550e8400"), ("account", ""), ("risk", "")]
)
def test_the_symbol_of_an_event_that_names_none(kind, symbol):
    event = event_of({"kind": kind, "payload": LEAST[kind]})
    assert (event.symbol, event.time, event.account) == (symbol, 0, "")
