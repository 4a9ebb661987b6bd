"""Whom a client of ``wss://`` trusts."""

from __future__ import annotations

import ssl
from pathlib import Path

from fastrouter.errors import ConnectionFailed

__all__ = ["trusting"]


def trusting(cafile: Path | None = None, *, insecure: bool = False) -> ssl.SSLContext | None:
    """What `fastrouter.connect` takes as ``ssl_context``; None for the system's own authorities.

    ``cafile`` is a PEM file of the only authorities to trust, or the server's
    own certificate. ``insecure`` trusts whoever answers: for trying things
    out. Raises ConnectionFailed for a file that cannot be used.
    """
    if cafile is None and not insecure:
        return None
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or str(error)
        raise ConnectionFailed(
            f"{cafile} cannot be used as a PEM file of certificates: {reason}",
            code="INVALID_CAFILE",
        ) from None
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
