"""Who carries out the commands of `fastrouter.session.commands`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from fastrouter.errors import ErrorCode, MessageError

if TYPE_CHECKING:
    from fastrouter.session.session import Session

__all__ = ["NoStrategies", "Strategies"]


class Strategies(Protocol):
    """Carries out commands, at once or later.

    It answers with `Session.answer(kind, data)`, in the words of ORCH: a list for
    ``strategy_status_list``, an object for the others; or with `Session.refuse(error)`.
    A MessageError that it raises is answered so, too.
    """

    def command(self, session: Session, name: str, fields: dict[str, Any]) -> None: ...


class NoStrategies:
    """Where nobody runs any: there are none, and none of them can be started."""

    def command(self, session: Session, name: str, fields: dict[str, Any]) -> None:
        """Answer at once. Raises MessageError, code UNKNOWN_STRATEGY."""
        answer = ANSWERS.get(name)
        if answer is None:
            raise MessageError(
                f"{name}: there is no strategy {fields['id']!r}", code=ErrorCode.UNKNOWN_STRATEGY
            )
        session.answer(*answer)


#: command -> type and data of its answer
ANSWERS: dict[str, tuple[str, Any]] = {
    "get_active_strategies": ("strategy_status_list", []),
    "get_risk_status": ("risk_status", {}),
}
