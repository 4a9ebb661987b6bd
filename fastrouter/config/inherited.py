"""What programs that we start inherit of our environment."""

from __future__ import annotations

import os

from fastrouter.config.settings import PREFIX

__all__ = ["inherited"]

#: beside all that begins with our prefix; they are told their own
OURS = frozenset({"SUBSCRIPTIONS", "PROXY_WS_URL", "PROXY_REST_URL", "PROXY_TOKEN"})


def inherited() -> dict[str, str]:
    """All but our settings, which may be secrets."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in OURS and not name.upper().startswith(PREFIX)
    }
