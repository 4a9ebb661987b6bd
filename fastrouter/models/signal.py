"""What a strategy or a model would do now."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import model_validator

from fastrouter.core.kinds import ACTIONS, DIRECTIONS
from fastrouter.models.cases import Cases, hold
from fastrouter.models.fields import LOWER, UPPER, Fraction, Free, Name, Number, Symbol, Time
from fastrouter.models.payload import Payload

__all__ = ["Signal"]


class Signal(Payload):
    """Kind ``signal``. Of `action` and `direction` one is required: the other follows."""

    CASES: ClassVar[Cases] = tuple(
        case
        for direction, action in ACTIONS.items()
        for case in (
            {"action": frozenset({action}), "direction": frozenset({direction, None})},
            {"action": frozenset({action, None}), "direction": frozenset({direction})},
        )
    )

    id: Name
    strategy_id: str | None = None
    strategy: str | None = None
    name: str | None = None  # what people call the strategy
    symbol: Symbol
    action: Annotated[Literal["BUY", "SELL", "HOLD"], UPPER] | None = None
    direction: Annotated[Literal["long", "short", "neutral"], LOWER] | None = None
    price: Number | None = None
    quantity: Number | None = None
    confidence: Fraction = 0  # who says nothing of it is not sure
    timestamp: Time | None = None
    timeframe: str | None = None
    model_type: str | None = None
    reasoning: str | None = None
    strategy_scores: Free | None = None
    market_analysis: Free | None = None
    risk_assessment: Free | None = None
    metadata: Free | None = None

    @model_validator(mode="after")
    def _action_and_direction_agree(self) -> Signal:
        if hold(self.CASES, self.__dict__):
            return self
        if self.action is None:
            raise ValueError("'action' and 'direction' are missing; one of them is required")
        raise ValueError(
            f"direction is {self.direction} and action {self.action}; "
            f"allowed: {DIRECTIONS[self.action]} with {self.action}"
        )

    def plain(self) -> dict[str, Any]:
        """The fields that were set, and both words, in the model's order."""
        both = self.__dict__ | {
            "action": self.action or ACTIONS[self.direction or ""],
            "direction": self.direction or DIRECTIONS[self.action or ""],
        }
        return {name: value for name, value in both.items() if value is not None}
