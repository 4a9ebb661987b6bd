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
    """The configured one, read again at each SIGHUP; None for plain ``ws://``.

    SIGHUP ends no server: without a certificate it is logged, and that is all.
    """
    certificate = None
    if server.cert is not None:
        certificate = Certificate(server.cert, server.key or server.cert)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _renew, certificate)
    return certificate


def _renew(certificate: Certificate | None) -> None:
    if certificate is None:
        logger.info("nothing to reload: no certificate is configured")
        return
    try:
        certificate.reload()
    except ConfigError as error:
        logger.error("certificate not renewed: the old one stays", reason=str(error))
    else:
        logger.info("certificate renewed", cert=str(certificate.cert))
