"""A reference: a plain loop over the sends of picows, one for each delivery."""

import asyncio
import datetime
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop
from picows import WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from .publisher import Publisher, arguments, cents, symbol_name

WELCOME = orjson.dumps({"type": "connection", "event": "CONNECTED", "session_id": "picows"})


class Session(WSListener):
    def __init__(self, topics: dict[str, list[WSTransport]], names: list[str]) -> None:
        self._topics = topics
        self._names = names

    def on_ws_connected(self, transport: WSTransport) -> None:
        for name in self._names:
            self._topics.setdefault(name, []).append(transport)
        transport.send(WSMsgType.TEXT, WELCOME)


def iso_now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def run() -> None:
    options = arguments(__doc__).parse_args()
    topics: dict[str, list[WSTransport]] = {}
    sequences = [0] * options.symbols

    def accept(request: WSUpgradeRequest) -> WSListener:
        query = parse_qs(urlsplit(request.path.decode()).query)
        items = ",".join(query.get("subscriptions", [])).split(",")
        return Session(topics, [item.rpartition(":")[0] for item in items])

    def publish(symbol: int, number: int, now: int, due: int) -> None:
        name, bid = symbol_name(symbol), cents(number)
        sequences[symbol] += 1
        body = {
            "symbol": name,
            "bid": f"{bid / 100:.2f}",
            "ask": f"{(bid + 2) / 100:.2f}",
            "last": f"{bid / 100:.2f}",
            "bid_size": str(now),
            "ask_size": str(due),
            "seq": sequences[symbol],
        }
        message = orjson.dumps(
            {"type": "quote", "id": f"evt_{number + 1}", "quote": body, "timestamp": iso_now()}
        )
        for transport in topics.get(name, ()):
            transport.send(WSMsgType.TEXT, message)

    server = await ws_create_server(accept, "127.0.0.1", options.port, backlog=1024)
    serving = asyncio.create_task(server.serve_forever())
    await Publisher(options, publish).finished()
    serving.cancel()


if __name__ == "__main__":
    uvloop.run(run())
