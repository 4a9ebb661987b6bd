"""Where a publisher or a subscriber of the bus is."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["FORMS", "check", "is_local"]

FORMS = ("tcp://HOST:PORT", "ipc:///PATH", "ws://HOST:PORT/PATH", "inproc://NAME")

#: schemes whose address has a host and a port
OF_A_HOST = frozenset({"tcp", "ws"})
LOOPBACK = frozenset({"localhost", "::1"})
#: schemes whose address is a name, or a path
OF_A_NAME = frozenset({"ipc", "inproc"})


def check(address: str) -> str:
    """The address as it is; ValueError, with what is allowed, when it cannot be one."""
    reason = _complaint(address)
    if reason:
        raise ValueError(f"{address!r} {reason}; allowed: {', '.join(FORMS)}")
    return address


def is_local(address: str) -> bool:
    """Whether only this machine can reach it."""
    scheme = address.partition("://")[0]
    host = urlsplit(address).hostname or ""
    return scheme in OF_A_NAME or host in LOOPBACK or host.startswith("127.")


def _complaint(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in OF_A_HOST | OF_A_NAME:
        return "is no address of a bus"
    if not address.isprintable() or " " in address:
        return "has characters that no address has"
    if scheme in OF_A_NAME:
        return "" if rest.strip("/") else "names nothing"
    try:
        parts = urlsplit(address)
        if parts.hostname and parts.port is not None:
            return ""
    except ValueError:
        pass
    return "lacks a host or a port from 0 to 65535"
