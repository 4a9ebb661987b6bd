"""The codes of the wire, and how bad each is."""

from __future__ import annotations

import pytest

from fastrouter.errors import GRAVITY, AuthError, ErrorCode, Severity, gravity


@pytest.mark.parametrize(
    ("code", "severity", "recoverable"),
    [
        ("INVALID_MESSAGE", "ERROR", True),
        ("INVALID_SUBSCRIPTION", "ERROR", True),
        ("LIMIT_EXCEEDED", "ERROR", True),
        ("UNKNOWN_STRATEGY", "ERROR", True),
        ("NOT_AUTHENTICATED", "ERROR", False),
        ("TOKEN_EXPIRED", "ERROR", False),
        ("FORBIDDEN", "ERROR", False),
        ("RESUME_GAP", "WARNING", False),
        ("WEBSOCKET_ERROR", "WARNING", True),
        ("TRADE_EXECUTION_FAILED", "ERROR", True),  # as CORE shows it
        ("anything else", "ERROR", True),
    ],
)
def test_gravity(code, severity, recoverable):
    assert gravity(code) == (severity, recoverable)
    assert isinstance(gravity(code).severity, Severity)


def test_a_code_is_its_word():
    assert {gravity(code) for code in ErrorCode} == {gravity(str(code)) for code in ErrorCode}
    assert gravity(AuthError("x").code) == GRAVITY[ErrorCode.NOT_AUTHENTICATED]
