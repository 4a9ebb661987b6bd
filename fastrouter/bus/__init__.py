"""The event bus of DGBIT: publish and subscribe over NNG (extra ``nng``).

Publishers send ``<type> {json}`` (see `message`); who subscribes to a prefix of the types gets
what begins with it. Either side may listen, and either side comes back by itself. The bus
promises nothing: a subscriber that is slow or away misses messages and is not told.
"""
