from typing import final

from fastrouter.core.budget import Budget
from fastrouter.core.encoder import Encoder
from fastrouter.core.matcher import Matcher

@final
class Portion:
    def __new__(cls, encoder: Encoder, matcher: Matcher, budget: Budget) -> Portion: ...
