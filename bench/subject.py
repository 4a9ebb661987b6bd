"""fastrouter as the fan-out bench sees it: a server and a publisher in one process."""

import uvloop

from fastrouter import Quote, Router

from .publisher import Publisher, arguments, cents, symbol_name


async def run() -> None:
    options = arguments(__doc__).parse_args()
    names = [symbol_name(symbol) for symbol in range(options.symbols)]
    router = Router()
    server = await router.serve(
        "127.0.0.1",
        options.port,
        dialect="trading-api",
        path="/ws",
        subscriptions="S:NOBODY:quote",
    )

    def publish(symbol: int, number: int, now: int, due: int) -> None:
        bid = cents(number)
        router.publish(
            Quote(
                names[symbol],
                bid=bid / 100,
                ask=(bid + 2) / 100,
                last=bid / 100,
                bid_size=now,
                ask_size=due,
            )
        )

    await Publisher(options, publish).finished()
    await server.close(0)


if __name__ == "__main__":
    uvloop.run(run())
