"""picows's logger: its lines about single peers are ours to write, or not worth one."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["Quiet"]


class Quiet(logging.LoggerAdapter[logging.Logger]):
    """Lets through what is an error, as information.

    An adapter, because for a plain logger picows makes a child per connection.
    """

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(log, {})

    def isEnabledFor(self, level: int) -> bool:
        """No debug lines at all: they hold requests, and those hold tokens."""
        return level > logging.DEBUG and super().isEnabledFor(level)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        pass

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.logger.info(msg, *args)
