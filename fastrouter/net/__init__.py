"""The only place that knows picows, uvloop and sockets."""

from __future__ import annotations

from importlib.metadata import version

from fastrouter.errors import ConfigError

#: the picows this package was compiled against: its cimported layout is its ABI
PICOWS = "2.3.1"

if version("picows") != PICOWS:
    raise ConfigError(
        f"picows {version('picows')} is installed, but fastrouter was built for {PICOWS}; "
        f"run: pip install picows=={PICOWS}"
    )
