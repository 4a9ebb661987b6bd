"""Who may connect, and how many: origins, addresses behind proxies, connections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

__all__ = ["Crowd", "Origins", "Proxies", "parse_origin", "parse_proxy"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[^\s/?#@:*\[\]]+)(:[0-9]{1,5})?")


def parse_origin(text: str) -> str:
    """``scheme://host[:port]`` in lower case, or ``*``. Raises ValueError."""
    origin = text.strip().lower()
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        raise ValueError(f"origin {text!r}; allowed: scheme://host or scheme://host:port, or *")
    return origin


def parse_proxy(text: str) -> Network:
    """An address or a network in CIDR, IPv4 or IPv6. Raises ValueError."""
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValueError(
            f"trusted proxy: {error}; allowed: addresses and networks as 10.0.0.0/8, fd00::/8"
        ) from None


class Origins:
    """Which pages' scripts may connect; none named: all."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(parse_origin(text) for text in allowed)

    def allow(self, origins: Iterable[str]) -> bool:
        """Whether the ``Origin`` headers of a request are fine; who is no browser sends none."""
        if not self._allowed or "*" in self._allowed:
            return True
        return all(origin.lower() in self._allowed for origin in origins)


class Proxies:
    """Whose word counts about where a request came from."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted = tuple(parse_proxy(text) for text in trusted)

    def client(self, peer: str, forwarded: list[str]) -> str:
        """The client's address, by the peer's and the ``X-Forwarded-For`` headers' values.

        From the right, each address was written by the one right of it: the
        first that is not a trusted proxy is the client, and what is left of it
        is hearsay.
        """
        found = _address(peer)
        if found is None:
            return peer
        hops = [hop for value in forwarded for hop in value.split(",")] if self._trusted else []
        while hops and self._trusts(found):
            hop = _address(_without_port(hops.pop().strip()))
            if hop is None:
                break
            found = hop
        return str(found)

    def trust(self, peer: str) -> bool:
        """Whether the peer is one of them: who the client is then stands in its request."""
        found = _address(peer)
        return found is not None and self._trusts(found)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


SPARE = 64  # connections beyond the limit that are let in to be told so


class Crowd:
    """Counts connections, from the moment they are accepted until they are lost."""

    def __init__(self, connections: int = 0, per_address: int = 0) -> None:
        self._limit = connections
        self._limit_per_address = per_address
        self._by_address: Counter[str] = Counter()
        self.connections = 0

    def enter(self, address: str) -> None:
        """One more from there; who enters has to `leave`."""
        self.connections += 1
        self._by_address[address] += 1

    def move(self, before: str, after: str) -> None:
        """A connection turns out to come from elsewhere."""
        if before != after:
            self._forget(before)
            self._by_address[after] += 1

    def leave(self, address: str) -> None:
        """One fewer from there."""
        self.connections -= 1
        self._forget(address)

    @property
    def full(self) -> bool:
        """Whether those who are in, the last to enter with them, are too many."""
        return bool(self._limit) and self.connections > self._limit

    @property
    def overrun(self) -> bool:
        """Whether there are so many that one more need not even be told."""
        return bool(self._limit) and self.connections >= self._limit + SPARE

    def crowded(self, address: str) -> bool:
        """Whether those from there, the last to enter with them, are too many."""
        limit = self._limit_per_address
        return bool(limit) and self.of(address) > limit

    def has_its_share(self, address: str) -> bool:
        """Whether one more from there would be too many."""
        limit = self._limit_per_address
        return bool(limit) and self.of(address) >= limit

    def of(self, address: str) -> int:
        """How many are in from there."""
        return self._by_address.get(address, 0)

    def _forget(self, address: str) -> None:
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def _address(text: str) -> Address | None:
    """An address; an IPv4 one in IPv6's clothes (``::ffff:1.2.3.4``) is the IPv4 one."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _without_port(text: str) -> str:
    """``[::1]:80`` -> ``::1``, ``1.2.3.4:80`` -> ``1.2.3.4``: some proxies add it."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
