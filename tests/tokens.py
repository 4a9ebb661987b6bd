"""Tokens as an issuer would make them, and as a liar would."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SECRET = b"0123456789abcdef0123456789abcdef"


def hs256(secret: bytes = SECRET, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    return jwt.encode({"sub": "ada", **claims}, secret, "HS256", headers)


def private_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return _private_key(bits)


@functools.cache
def _private_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def public_pem(bits: int = 2048) -> bytes:
    key = private_key(bits).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def rs256(**claims: Any) -> str:
    return jwt.encode({"sub": "ada", **claims}, private_key(), "RS256")


def part(value: Any) -> str:
    """One part of a token; bytes as they are, the rest as JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: Any, claims: Any, signature: bytes = b"") -> str:
    return f"{part(header)}.{part(claims)}.{part(signature)}"
