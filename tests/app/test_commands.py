from __future__ import annotations

import pytest

from fastrouter.app.commands import Dispatch
from fastrouter.errors import MessageError


class Noted:
    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def command(self, *asked) -> None:
        self.asked.append(asked)

    def answer(self, *said) -> None:
        self.asked.append(said)


def test_each_command_goes_to_whom_its_row_names():
    one, other, session = Noted(), Noted(), Noted()
    dispatch = Dispatch({"a": one, "b": other})
    dispatch.command(session, "b", {"x": 1})
    assert (one.asked, other.asked) == ([], [(session, "b", {"x": 1})])


def test_what_nobody_carries_out_is_as_where_there_is_nobody():
    session = Noted()
    Dispatch({}).command(session, "get_active_strategies", {})
    assert session.asked == [("strategy_status_list", [])]
    with pytest.raises(MessageError):
        Dispatch({}).command(session, "start_strategy", {"id": "x"})
