"""Moving-average crossover: long while the fast average of closes is above the slow one.

Live, and in ``fastrouter backtest bars.csv -- python -m fastrouter.examples.crossover``.
"""

import argparse
import json
import os
from collections import deque

import uvloop

import fastrouter
from fastrouter.client.trading import Trading
from fastrouter.errors import OrderError


class Crossover:
    """The two averages of one symbol, as sums of its last closes."""

    def __init__(self, fast: int, slow: int) -> None:
        self.lengths = fast, slow
        self.closes: deque[int] = deque(maxlen=slow)
        self.fast = self.slow = 0
        self.above: bool | None = None

    def add(self, close: float) -> str | None:
        """BUY or SELL when this close makes the averages cross."""
        (fast, slow), count = self.lengths, len(self.closes)
        price = round(close * 10**8)  # sums of integers do not drift
        self.fast += price - (self.closes[-fast] if count >= fast else 0)
        self.slow += price - (self.closes[0] if count == slow else 0)
        self.closes.append(price)
        was, above = self.above, self.fast * slow > self.slow * fast
        self.above = above if len(self.closes) == slow else None
        return None if was in (None, above) else "BUY" if above else "SELL"


async def act(desk: Trading, action: str, bar: fastrouter.Candle, qty: str) -> None:
    """Say it, and be long after BUY and out after SELL."""
    await desk.signal(bar.symbol, action, price=bar.close, quantity=qty, confidence=0.9)
    held = await desk.position(bar.symbol)
    try:
        if (action == "BUY") == (held is None):
            await desk.submit(bar.symbol, action, held.qty if held else qty, time_in_force="gtc")
    except OrderError as error:
        print(f"{bar.symbol} {action}: {error.code}: {error}", flush=True)


async def trade(options: argparse.Namespace) -> None:
    """Until the stream ends."""
    wanted = [f"{one or '*'}:candle@{options.timeframe}" for one in options.symbols.split(",")]
    asked = os.environ.get("SUBSCRIPTIONS") or wanted
    averages: dict[str, Crossover] = {}
    async with fastrouter.connect(subscriptions=asked) as events, fastrouter.trading() as desk:
        async for bar in events:
            if not isinstance(bar, fastrouter.Candle) or bar.timeframe != options.timeframe:
                continue
            if bar.closed and not bar.snapshot:
                average = averages.setdefault(bar.symbol, Crossover(options.fast, options.slow))
                if action := average.add(bar.close):
                    await act(desk, action, bar, options.qty)


def main() -> None:
    """Options go before what STRATEGY_CONFIG says."""
    config = json.loads(os.environ.get("STRATEGY_CONFIG") or "{}")
    parser = argparse.ArgumentParser(prog="crossover", description=__doc__)
    for name, default in (("fast", 10), ("slow", 30), ("qty", "1")):
        parser.add_argument(f"--{name}", type=type(default), default=config.get(name, default))
    parser.add_argument("--timeframe", default=config.get("dataResolution", "1m"))
    parser.add_argument("--symbols", default=os.environ.get("STRATEGY_SYMBOLS", ""))
    options = parser.parse_args()
    0 < options.fast < options.slow or parser.error("allowed: 0 < fast < slow")
    uvloop.run(trade(options))


if __name__ == "__main__":
    main()
