"""What the guard lets through is in test_api.py; here: the time it asks with."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem

from .fakes import FakeVerifier


async def test_tokens_are_verified_at_the_clocks_time():
    asked = []

    class Verifier:
        def verify(self, token, now_s):
            asked.append((token, now_s))
            return SimpleNamespace(admin=True)

    headers = [(b"authorization", b"Bearer  abc ")]
    await Guard(Verifier(), lambda: 12.5)(Request({"type": "http", "headers": headers}))
    assert asked == [("abc", 12.5)]


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        (("admin",), "'admin' is not true"),
        (("publish", "admin"), "'publish' or 'admin' is not true"),
    ],
)
async def test_the_claims_that_would_have_done_are_named(claims, said):
    headers = [(b"authorization", b"Bearer user")]
    with pytest.raises(Problem, match=said) as caught:
        await Guard(FakeVerifier(), lambda: 0.0, claims)(
            Request({"type": "http", "headers": headers})
        )
    assert caught.value.status == 403
