"""Strategies to start from: programs against the SDK, the same live and in a backtest."""
