"""The certificate to serve with."""

from __future__ import annotations

import asyncio
import signal

import structlog

from fastrouter import config
from fastrouter.errors import ConfigError
from fastrouter.net.certificate import Certificate

__all__ = ["certificate_of"]

logger = structlog.stdlib.get_logger("fastrouter.app")


def certificate_of(server: config.Server) -> Certificate | None:
    """The configured one, read again at each SIGHUP; None for plain ``ws://``."""
    if server.cert is None:
        return None
    certificate = Certificate(server.cert, server.key or server.cert)

    def renew() -> None:
        try:
            certificate.reload()
        except ConfigError as error:
            logger.error("certificate not renewed: the old one stays", reason=str(error))
        else:
            logger.info("certificate renewed", cert=str(certificate.cert))

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew)
    return certificate
