"""What the guard lets through is in test_api.py; here: the time it asks with."""

from __future__ import annotations

from types import SimpleNamespace

from starlette.requests import Request

from fastrouter.control.guard import Guard


async def test_tokens_are_verified_at_the_clocks_time():
    asked = []

    class Verifier:
        def verify(self, token, now_s):
            asked.append((token, now_s))
            return SimpleNamespace(admin=True)

    headers = [(b"authorization", b"Bearer  abc ")]
    await Guard(Verifier(), lambda: 12.5)(Request({"type": "http", "headers": headers}))
    assert asked == [("abc", 12.5)]
