"""Where nobody runs strategies."""

from __future__ import annotations

import pytest

from fastrouter.errors import MessageError
from fastrouter.session.commands import COMMANDS
from fastrouter.session.strategies import NoStrategies

from .peer import Client, Envelope


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("get_active_strategies", ("strategy_status_list", [])),
        ("get_risk_status", ("risk_status", {})),
    ],
)
def test_there_is_nothing_to_tell(name, answer):
    client = Client("", dialect=Envelope("orchestrator"))
    client.answers()
    NoStrategies().command(client.session, name, {})
    assert client.answers() == [answer]


@pytest.mark.parametrize("name", [name for name, spec in COMMANDS.items() if spec.acts])
def test_there_is_none_to_start_or_stop(name):
    with pytest.raises(MessageError, match=f"{name}: there is no strategy 's'") as caught:
        NoStrategies().command(Client("").session, name, {"id": "s"})
    assert caught.value.code == "UNKNOWN_STRATEGY"
