"""The certificate of ``wss://`` endpoints, and how it is renewed while they serve."""

from __future__ import annotations

import ssl
from pathlib import Path

from fastrouter.errors import ConfigError

__all__ = ["Certificate"]


class Certificate:
    """A certificate chain and its key, two PEM files.

    `context` is what a server listens with, for good. Each handshake is given
    what was read last, so that `reload` needs no new listener and touches no
    session. TLS 1.2 is the oldest that is spoken.

    Raises ConfigError when the files cannot be used.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        self.cert = cert
        self.key = key
        self._current = self._read()
        self.context = self._read()
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Read both files again, for handshakes from here on.

        Raises ConfigError when they cannot be used; the old ones stay then.
        """
        self._current = self._read()

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._current  # OpenSSL asks also when the client names no server

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])  # what WebSocket begins with
        try:
            # an empty password, or a key that is locked would ask for it on the terminal
            context.load_cert_chain(self.cert, self.key, password="")
        except (OSError, ValueError) as error:
            raise ConfigError(self._explain(error), code="INVALID_CERTIFICATE") from None
        return context

    def _explain(self, error: Exception) -> str:
        """Which file is at fault, as far as OpenSSL lets us know."""
        for path in (self.cert, self.key):
            try:
                path.open("rb").close()
            except OSError as unreadable:
                return f"{path} cannot be read: {unreadable.strerror}"
        reason = getattr(error, "reason", None) or error
        return (
            f"certificate {self.cert} and key {self.key} cannot be used: {reason}; "
            "allowed: a PEM chain and its key, without a password"
        )
