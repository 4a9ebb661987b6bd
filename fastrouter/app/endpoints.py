"""Every endpoint of the wire contract beside the server's own: a row per port."""

from __future__ import annotations

from fastrouter.net.route import Route

__all__ = ["ROUTES"]


def _all(*event_types: str) -> str:
    return ",".join(f"*:{event_type}" for event_type in event_types)


#: port of the section ``ports`` -> what is served there
ROUTES: dict[str, tuple[Route, ...]] = {
    "rest": (
        Route("/ws", "botcore", about="a bot's core"),
        Route("/stream", "alpaca", about="trade updates, as Alpaca's"),
    ),
    "ai": (
        Route("/ws", "botcore-ai", about="AI signals"),
        Route("/api/ws/events", "dgbit", about="events"),
        Route("/api/ws/jobs/{job_uuid}", "dgbit", "dgbit-job", about="one job"),
    ),
    "market": (
        Route("/ws", "orchestrator", subscriptions=_all("quote", "candle"), about="market data"),
    ),
    "risk": (
        Route(
            "/ws",
            "orchestrator",
            subscriptions=_all("risk", "order", "trade", "position", "account"),
            about="risk and orders",
        ),
    ),
    "backtest": (Route("/ws", manners="backtest", about="backtests"),),
}
