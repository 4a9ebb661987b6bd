"""fastrouter as the fan-out bench sees it: a server and a publisher in one process."""

import uvloop

from fastrouter import Quote, Router

from .publisher import Publisher, arguments, cents, symbol_name


async def run() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--dialect", choices=("trading-api", "botcore"), default="trading-api")
    options = parser.parse_args()
    names = [symbol_name(symbol) for symbol in range(options.symbols)]
    router = Router()
    server = await router.serve(
        "127.0.0.1",
        options.port,
        dialect=options.dialect,
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

    def publish_market(symbol: int, number: int, now: int, due: int) -> None:
        """Of a message without sizes and sequence: what its reader looks for in their place."""
        seq = number // options.symbols + 1
        router.publish(Quote(names[symbol], bid=now, ask=due, last=seq))

    chosen = publish if options.dialect == "trading-api" else publish_market
    await Publisher(options, chosen).finished()
    await server.close(0)


if __name__ == "__main__":
    uvloop.run(run())
